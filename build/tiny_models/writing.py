"""The models that write: plain, thinking and calling tools. They differ in their chat template only."""

from __future__ import annotations

from pathlib import Path

import gguf

from tiny_models import corpus
from tiny_models.chain import default_chain
from tiny_models.vocabulary import (
    END,
    FILL_MIDDLE,
    FILL_PREFIX,
    FILL_SUFFIX,
    PADDING,
    START,
    TURN_END,
    UNKNOWN,
    build_vocabulary,
)
from tiny_models.weights import HEAD, NORM_EPSILON, ROPE_BASE, ChainWeights

CONTEXT_LENGTH = 8192

# ChatML with tools in the manner of Hermes: llama.cpp recognizes both, and streams calls and thoughts as such.
# A template that mentions thoughts gets an empty one before every answer that is continued; so only one model's does.
_TEMPLATE = """\
{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- '# Tools\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
{{- '\\n</tools>\\nCall a tool as <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' or message.role == 'assistant' %}
{{- '<|im_start|>' + message.role + '\\n' }}
@THOUGHT@{{- message.content or '' }}
{%- for call in message.tool_calls or [] %}
{{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- (call.function.arguments | tojson) + '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}@OPENING@{%- endif %}
"""
_THOUGHT = """\
{%- if message.reasoning_content %}{{- '<think>' + message.reasoning_content + '</think>' }}{%- endif %}
"""
PLAIN = ""
THINKS = "{%- if enable_thinking is not defined or enable_thinking %}{{- '<think>' }}{%- endif %}"
# The tab is the sign on which the chain opens a tool call; a tool's answer is last when there is nothing left to call.
CALLS_TOOLS = "{%- if tools and messages[-1].role == 'user' %}{{- '\\t' }}{%- endif %}"


def write_chat_model(path: Path, name: str, opening: str) -> None:
    """Write a model that chats. `opening` is the part of the template with which its answers open."""
    vocabulary = build_vocabulary((*corpus.ANSWERS, *corpus.THOUGHTS))
    weights = ChainWeights(default_chain(), vocabulary.pieces)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_type("model")
    writer.add_size_label("tiny")
    writer.add_license("MIT")
    writer.add_description("Says a few sentences about llamas. Made by a script, not trained.")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(weights.width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(weights.hidden)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(NORM_EPSILON)
    writer.add_vocab_size(len(vocabulary.pieces))
    thought = _THOUGHT if opening == THINKS else ""
    writer.add_chat_template(_TEMPLATE.replace("@OPENING@", opening).replace("@THOUGHT@", thought))
    ids = vocabulary.ids()
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(vocabulary.pieces)
    writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.types)
    writer.add_bos_token_id(ids[START])
    writer.add_eos_token_id(ids[END])
    writer.add_eot_token_id(ids[TURN_END])
    writer.add_unk_token_id(ids[UNKNOWN])
    writer.add_pad_token_id(ids[PADDING])
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    for key, piece in (("pre", FILL_PREFIX), ("suf", FILL_SUFFIX), ("mid", FILL_MIDDLE)):
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", ids[piece])
    for tensor_name, tensor in weights.tensors.items():
        if tensor_name in weights.quantized:
            packed = gguf.quants.quantize(tensor, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor_name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(tensor_name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
