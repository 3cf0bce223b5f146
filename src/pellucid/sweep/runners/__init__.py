"""Where the work of a sweep is done, one file for each kind: this process, processes of this machine, a cluster."""
