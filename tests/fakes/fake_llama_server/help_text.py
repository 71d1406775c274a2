"""`--help` and `--version` in llama-server's layout: sections, short and long names, values, wrapped descriptions."""

from __future__ import annotations

VERSION = "version: 0 (fake)\nbuilt for the tests\n"
DEVICES = "Available devices:\n"

HELP = """\
----- common params -----

-h,    --help, --usage                  print usage and exit
--version                               show version and build info
-t,    --threads N                      number of CPU threads to use during generation (default: -1)
                                        (env: LLAMA_ARG_THREADS)
-c,    --ctx-size N                     size of the prompt context (default: 0, 0 = loaded from model)
                                        (env: LLAMA_ARG_CTX_SIZE)
-n,    --predict, --n-predict N         number of tokens to predict (default: -1, -1 = infinity)
                                        (env: LLAMA_ARG_N_PREDICT)
-b,    --batch-size N                   logical maximum batch size (default: 2048)
                                        (env: LLAMA_ARG_BATCH)
-ub,   --ubatch-size N                  physical maximum batch size (default: 512)
                                        (env: LLAMA_ARG_UBATCH)
-fa,   --flash-attn [on|off|auto]       set Flash Attention use ('on', 'off', or 'auto', default: 'auto')
                                        (env: LLAMA_ARG_FLASH_ATTN)
-ngl,  --gpu-layers, --n-gpu-layers N   max. number of layers to store in VRAM (default: -1)
                                        (env: LLAMA_ARG_N_GPU_LAYERS)
-ctk,  --cache-type-k TYPE              KV cache data type for K
                                        allowed values: f32, f16, bf16, q8_0, q4_0
                                        (env: LLAMA_ARG_CACHE_TYPE_K)
-ot,   --override-tensor <tensor name pattern>=<buffer type>,...
                                        override tensor buffer type
--lora FNAME                            path to LoRA adapter (use comma-separated values to load multiple adapters)
--lora-scaled FNAME:SCALE,...           path to LoRA adapter with user defined scaling
--rpc SERVERS                           comma separated list of RPC servers
                                        (env: LLAMA_ARG_RPC)
--override-kv KEY=TYPE:VALUE,...        advanced option to override model metadata by key
-m,    --model FNAME                    model path to load
                                        (env: LLAMA_ARG_MODEL)
-lv,   --verbosity, --log-verbosity N   set the verbosity threshold
                                        (env: LLAMA_LOG_VERBOSITY)

----- sampling params -----

--seed SEED, -s SEED                    RNG seed (default: -1, use random seed for -1)
--temp, --temperature N                 temperature (default: 0.80)
--ignore-eos                            ignore end of stream token and continue generating
-l,    --logit-bias TOKEN_ID(+/-)BIAS   modifies the likelihood of token appearing in the completion

----- example-specific params -----

-cb,   --cont-batching, -nocb, --no-cont-batching
                                        whether to enable continuous batching (default: enabled)
                                        (env: LLAMA_ARG_CONT_BATCHING)
-np,   --parallel N                     number of server slots (default: 4)
                                        (env: LLAMA_ARG_N_PARALLEL)
-a,    --alias STRING                   set model name aliases, comma-separated (to be used by API)
                                        (env: LLAMA_ARG_ALIAS)
--host HOST                             ip address to listen, or bind to an UNIX socket if the address ends with .sock
                                        (default: 127.0.0.1)
                                        (env: LLAMA_ARG_HOST)
--port PORT                             port to listen (default: 8080)
                                        (env: LLAMA_ARG_PORT)
--webui, --no-webui                     whether to enable the Web UI (default: enabled)
                                        (env: LLAMA_ARG_WEBUI)
--embedding, --embeddings               restrict to only support embedding use case (default: disabled)
                                        (env: LLAMA_ARG_EMBEDDINGS)
--api-key KEY                           API key to use for authentication (default: none)
                                        (env: LLAMA_API_KEY)
--api-key-file FNAME                    path to file containing API keys (default: none)
--metrics                               enable prometheus compatible metrics endpoint (default: disabled)
                                        (env: LLAMA_ARG_ENDPOINT_METRICS)
--slots, --no-slots                     expose slots monitoring endpoint (default: enabled)
                                        (env: LLAMA_ARG_ENDPOINT_SLOTS)
--jinja, --no-jinja                     whether to use jinja template engine for chat (default: enabled)
                                        (env: LLAMA_ARG_JINJA)
"""
