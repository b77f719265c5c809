"""Runs llama.cpp's server: `llama_cpp_server.py MODEL.gguf PORT TOKENS SLOTS`.

It runs in the environment of `xllamacpp`, until it is killed. TOKENS is the context of one request:
the server divides its whole context among its slots.
"""

import sys
import threading

import xllamacpp


def main(model: str, port: int, tokens: int, slots: int) -> None:
    """Serve the model under the name `smollm2`."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.model_alias = {"smollm2"}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_ctx = tokens * slots
    parameters.n_parallel = slots
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
