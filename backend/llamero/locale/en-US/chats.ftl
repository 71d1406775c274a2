### Conversations and their answers.

chat-untitled = New conversation

chat_error-conversation_not_found = This conversation is not there, or it is in the trash.
chat_error-message_not_found = This message is not there, or it or its conversation is in the trash.
chat_error-not_a_question = Only what you said can be edited. Ask for another answer instead.
chat_error-not_an_answer = This is not an answer. Edit your message instead.
chat_error-answer_running = This answer is still coming. Wait for it, or stop it first.
chat_error-empty_message = There is nothing to send. Write something first.
chat_error-attachment_not_found = This file is not there any more. Attach it again.
chat_error-attachment_empty = “{ $name }” is empty, so there is nothing to attach.
chat_error-attachment_not_text = “{ $name }” is neither text nor a picture that models know (PNG, JPEG, GIF, WebP), so it cannot be attached.
chat_error-attachment_too_large = “{ $name }” is too large. A text file may have up to { $limit } MB.
chat_error-image_too_large = “{ $name }” is too large. A picture may have up to { $limit } MB.
chat_error-image_too_many_pixels = “{ $name }” has too many pixels. A picture may have up to { $limit } million.
chat_error-image_damaged = “{ $name }” is damaged: it does not say how large the picture is.
chat_error-model_cannot_see = { $model } cannot see pictures, and there is one in this conversation. Choose a model that can.
chat_error-attachments_too_many = A message can have up to { $limit } files. Remove some first.
chat_error-conversation_too_large = The files of this conversation are more than { $limit } MB together. Begin a new one, or delete a question with files.
chat_error-attachments_too_large = The files of this message are too large together. They may have up to { $limit } MB. Remove some first.
chat_error-empty_title = A title cannot be empty. Write one first.
chat_error-context_full =
    The conversation has { NUMBER($tokens, useGrouping: 1) } tokens, but the model's context holds { NUMBER($limit, useGrouping: 1) }. Start a new conversation, or give the model a longer context.
chat_error-refused = The engine refused this request: { $reason }
