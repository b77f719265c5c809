"""Where the model process runs: on this machine, in a Kubernetes pod, or as a Ray job."""
