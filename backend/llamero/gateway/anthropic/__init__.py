"""The dialect of Anthropic's Messages API, translated to and from the one chat path."""
