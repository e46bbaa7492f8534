"""Small programs that `make check` and `make lock` run; none of them is shipped."""
