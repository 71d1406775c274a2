/**
 * Gives the user a file. In a browser it is a download; the app's own window has none, so there the file goes to the
 * Python side, which asks where to put it.
 */

/** @param {import('./actions/core.js').Core} core @param {string} name @param {Blob} content */
export async function saveFile(core, name, content) {
  if (core.store.nativeDialogs.value) {
    const { handle } = await core.bridge.upload(content);
    await core.bridge.invoke('save_file', { handle, name });
    return;
  }
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun by then; the bytes are the browser's.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
