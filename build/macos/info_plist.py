"""What the app says of itself to macOS: `Info.plist`, by Apple's Information Property List Key Reference."""

from __future__ import annotations

import re
from typing import Any

from identity import APPLICATION_ID, NAME, PUBLISHER

# Below that there is no embedded engine: it is what its wheels for macOS are built for.
OLDEST_SYSTEM = "13.0"
GGUF_TYPE = "org.ggml.gguf"


def info_plist(version: str) -> dict[str, Any]:
    """Return the dictionary for this version. Raises ValueError where it begins with no number.

    What is absent is meant to be: without a text about the microphone or the camera, macOS gives neither to the page.
    """
    found = re.match(r"\d+(\.\d+){0,2}", version)
    if found is None:
        raise ValueError(f"not a version: {version!r}")
    return {
        "CFBundleIdentifier": APPLICATION_ID,
        "CFBundleName": NAME,
        "CFBundleDisplayName": NAME,
        "CFBundleShortVersionString": found[0],
        "CFBundleVersion": found[0],
        "CFBundleGetInfoString": f"{NAME} {version}",
        "CFBundleDevelopmentRegion": "en",
        "LSApplicationCategoryType": "public.app-category.productivity",
        "LSMinimumSystemVersion": OLDEST_SYSTEM,
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": f"{PUBLISHER}, MIT license",
        # The page comes from http://127.0.0.1, which App Transport Security forbids otherwise. It stays in force for
        # everything that is not this machine.
        "NSAppTransportSecurity": {"NSAllowsLocalNetworking": True},
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "GGUF language model",
                "CFBundleTypeRole": "Viewer",
                # Offered beside whatever opens these files already.
                "LSHandlerRank": "Alternate",
                "LSItemContentTypes": [GGUF_TYPE],
            }
        ],
        # Imported: the format is llama.cpp's, and an app that owns the type would win over this.
        "UTImportedTypeDeclarations": [
            {
                "UTTypeIdentifier": GGUF_TYPE,
                "UTTypeDescription": "GGUF language model",
                "UTTypeConformsTo": ["public.data"],
                "UTTypeTagSpecification": {"public.filename-extension": ["gguf"]},
            }
        ],
    }
