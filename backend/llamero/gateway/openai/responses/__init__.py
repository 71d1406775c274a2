"""OpenAI's Responses API, as a translation over the one chat path: any model that chats answers here, too."""
