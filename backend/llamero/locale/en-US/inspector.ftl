### The request inspector.

inspector_error-gone = This request is not kept any more. Newer ones have taken its place, or the list was cleared.
inspector_error-not_kept = What this request said was not kept as a whole, so this cannot be done with it.
inspector_error-no_gateway = The gateway is not open, so the request cannot be sent again.
inspector_error-content_off = The setting inspector.content is off, so what requests say is not kept. Turn it on in the settings file.
