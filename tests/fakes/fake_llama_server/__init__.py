"""A llama-server that does as it is told: a real program with a switch for every misbehaviour.

It is started like llama-server (`python -m tests.fakes.fake_llama_server`, this folder's path, or through the wrapper
that `tests.fakes.launch.fake_engine` writes) and answers the routes that Llamero uses, with text that depends on the
messages alone. `options.Switches` lists what can go wrong. Only the standard library is used: it starts in well under
0.1 s, and every byte on the wire is its own.

    __main__   life of the process: load, serve, end
    options    llama-server's command line and the switches
    startup    what goes wrong before and beside serving: exits, forks, floods
    wire       the smallest HTTP/1.1 server that can also break its promises
    routes     llama-server's endpoints
    answers    deterministic text, and the chat.completion events made of it
    sse        the events as bytes, in every form that a stream may arrive in
    journal    what happened, one JSON object per line, for the test to read
"""
