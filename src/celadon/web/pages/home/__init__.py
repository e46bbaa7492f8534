"""The first page: every plant and region that whoever asks may see."""
