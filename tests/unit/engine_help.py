"""A help text in llama-server's layout, with one flag of every kind that the layout can express."""

from __future__ import annotations

from llamero.infrastructure.llama.flag_table import EngineFlags
from llamero.infrastructure.llama.help_text import parse_help

HELP = """\
gpu_backend: found 1 device:
  Device 0: Some GPU -- compute 9.0
----- common params -----

-h,    --help, --usage                  say this
--version                               say the version
-t,    --threads N                      how many threads (default: -1)
                                        (env: EXAMPLE_THREADS)
-tb,   --threads-batch N                how many threads for prompts
-c,    --ctx-size N                     tokens of context
                                        - a list item that starts with a hyphen
                                        --not-a-flag, only text
-b,    --batch-size N                   tokens in a batch
-fa,   --flash-attn [on|off|auto]       attention by another algorithm
-e,    --escape, --no-escape            read escapes
-kvo,  --kv-offload, -nkvo, --no-kv-offload
                                        where the cache lives
--repack, -nr, --no-repack              repack the weights
--no-host                               no buffers of the host
-ngl,  --gpu-layers, --n-gpu-layers N   layers on the GPU
-sm,   --split-mode {none,layer,row}
                                        how to split
-ts,   --tensor-split N0,N1,N2,...      shares, as a comma-separated list
-dev,  --device <dev1,dev2,..>          devices to use
-ot,   --override-tensor <tensor name pattern>=<buffer type>,...
                                        place tensors
--override-kv KEY=TYPE:VALUE,...        other metadata
--lora FNAME                            adapter (comma-separated values for several)
--lora-scaled FNAME:SCALE,...           adapter with its weight
--control-vector-layer-range START END
                                        first and last layer
--context-shift                         move the context
--no-context-shift                      leave the context
--mmproj FILE                           projector
--mmproj-auto, --no-mmproj, --no-mmproj-auto
                                        find a projector
-m,    --model FNAME                    the model
-a,    --alias STRING                   its name
-lv,   --verbosity, --log-verbosity N   how much to log
--label [TEXT]                          a label, or none
-v,    --verbose                        log everything
--old-one N                             the argument has been removed. use --threads


----- sampling params -----

-s,    --seed SEED                      where randomness starts
--temp, --temperature N                 temperature
--top-p N                               nucleus
-l,    --logit-bias TOKEN_ID(+/-)BIAS   favour a token


----- example-specific params -----

--host HOST                             addresses to listen on, comma-separated
--port PORT                             port to listen on
--api-key KEY                           who may come in
--ui, --webui, --no-ui, --no-webui      pages of its own
--reverse-prompt PROMPT                 stop there (can be specified multiple times)
--chat-template-kwargs STRING           for the template, e.g. '{"key": "value"}'
-np,   --parallel N                     slots
--embedding, --embeddings               vectors only
--fim-tiny-1b-default                   another model
"""

FLAGS = EngineFlags(parse_help(HELP))
