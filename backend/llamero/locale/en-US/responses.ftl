### The Responses API: what is kept of responses, and what can be asked of them.

response_error-not_found = There is no response { $id }. It was deleted, is too old, or was asked for with "store": false.
response_error-previous_not_found =
    The response { $id }, on which this one should build, is not kept. Send the whole conversation as input instead.
response_error-previous_unfinished = The response { $id }, on which this one should build, is still being written. Wait for it.
response_error-item_not_found = There is no item { $id }. Send the item itself.
response_error-no_such_tool = '{ $param }' names the function { $tool }, which is not among the tools.
response_error-not_background = Only a response that was asked for with "background": true can be cancelled. Close the connection instead.
response_error-not_streamable = The events of this response were not kept. Only one in the background that is streamed can be streamed again.
response_error-interrupted = Llamero ended before this response was complete. Ask again.
