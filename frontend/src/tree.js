/**
 * A conversation is a tree; what is shown is the path from its root to the head.
 *
 * @typedef {import('./types/bridge.js').Message} Message
 */

/** The messages from the root to `head`. @param {Map<string, Message>} messages @param {string | null} head @returns {Message[]} */
export function pathTo(messages, head) {
  const path = [];
  const seen = new Set();
  let message = head === null ? undefined : messages.get(head);
  while (message && !seen.has(message.id)) {
    seen.add(message.id);
    path.push(message);
    message = message.parent_id === null ? undefined : messages.get(message.parent_id);
  }
  return path.reverse();
}

/** The ids of a message and of all below it, on whichever branch. @param {Map<string, Message>} messages @param {string} id @returns {Set<string>} */
export function below(messages, id) {
  const found = new Set([id]);
  // Parents are older than their children, whatever came first here.
  for (let grown = -1; grown !== found.size; ) {
    grown = found.size;
    for (const message of messages.values()) if (message.parent_id !== null && found.has(message.parent_id)) found.add(message.id);
  }
  return found;
}

/** The ids of each message's siblings, itself included, oldest first. @param {Map<string, Message>} messages @returns {Map<string, string[]>} */
export function siblings(messages) {
  /** @type {Map<string | null, string[]>} */
  const byParent = new Map();
  for (const message of [...messages.values()].sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))) {
    const key = message.parent_id ?? null;
    const list = byParent.get(key);
    if (list) list.push(message.id);
    else byParent.set(key, [message.id]);
  }
  const result = new Map();
  for (const list of byParent.values()) for (const id of list) result.set(id, list);
  return result;
}
