"""The units that pages show figures in, for all places or one."""
