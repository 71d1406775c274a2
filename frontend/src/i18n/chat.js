/** The words of the view Chat: its list, thread and composer. */
import { count } from '../format.js';
import { plural } from './plural.js';

const apple = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);

export const chat = {
  // Conversations
  conversations: 'Conversations',
  showList: 'Show conversations',
  hideList: 'Hide conversations',
  newChat: 'New chat',
  newChatHint: apple ? 'New chat (⌘N)' : 'New chat (Ctrl+N)',
  search: 'Search',
  searchLabel: 'Search conversations',
  clearSearch: 'Clear search',
  today: 'Today',
  yesterday: 'Yesterday',
  earlier: 'Earlier',
  noConversations: 'Your conversations will be listed here.',
  /** @param {string} query */
  nothingFound: (query) => `Nothing found for “${query}”.`,
  rename: 'Rename',
  title: 'Title',
  delete: 'Delete',
  /** @param {string} title */
  deleted: (title) => `Deleted “${title}”`,
  undo: 'Undo',
  recentlyDeleted: 'Recently deleted',
  backToConversations: 'Back to the conversations',
  restoring: 'Restore',
  /** @param {string} title */
  restore: (title) => `Restore “${title}”`,
  /** @param {string} title */
  restored: (title) => `Restored “${title}”`,
  /** @param {number} days */
  trashKept: (days) => `Kept for ${plural(days, 'day', 'days')}. Choose one to restore it.`,
  /** @param {number} days */
  trashEmpty: (days) => `Nothing here. What you delete is kept for ${plural(days, 'day', 'days')}.`,
  /** @param {string} when @param {number} days */
  trashTimes: (when, days) => `Deleted ${when} · ${days > 0 ? `${plural(days, 'day', 'days')} left` : 'about to go'}`,
  answering: 'Answering',
  // Thread
  messages: 'Messages',
  you: 'You',
  /** @param {number} letters */
  showAll: (letters) => `Show all ${count(letters)} characters`,
  showLess: 'Show less',
  earlierMessages: 'Show earlier messages',
  jumpToLatest: 'Jump to latest',
  copy: 'Copy',
  copied: 'Copied',
  copyMessage: 'Copy',
  retry: 'Retry',
  retryHint: 'Answer once more',
  edit: 'Edit',
  editLabel: 'Edit your message',
  sendEdit: 'Send',
  editAnswer: 'Edit answer',
  editAnswerLabel: 'Edit the answer',
  saveEdit: 'Save',
  savesVersion: `Saves as a new version (${apple ? '⌘' : 'Ctrl'}+Enter)`,
  edited: 'Edited',
  moreActions: 'More actions',
  getAnswer: 'Get an answer',
  answeringElsewhere: 'Answering in another version',
  showVersion: 'Show it',
  deleteMessage: 'Delete',
  deleteFromHere: 'Delete from here',
  deleteConversation: 'Delete conversation',
  /** @param {number} messages */
  messageCount: (messages) => plural(messages, 'message', 'messages'),
  /** @param {number} messages */
  deletedMessages: (messages) => `Deleted ${plural(messages, 'message', 'messages')}`,
  fork: 'Fork from here',
  forked: 'Opened the fork',
  goBack: 'Go back',
  isFork: 'Fork',
  forkedFrom: 'Forked from',
  forkedFromGone: 'Forked from a conversation that is no longer here',
  cancel: 'Cancel',
  previousBranch: 'Previous version',
  nextBranch: 'Next version',
  /** @param {number} index @param {number} total */
  branch: (index, total) => `${index} / ${total}`,
  thinking: 'Thinking',
  reasoning: 'Reasoning',
  /** @param {number} words */
  words: (words) => plural(words, 'word', 'words'),
  stopped: 'Stopped',
  interrupted: 'Llamero was closed while this was being written. What had been saved is above.',
  failedTitle: 'This answer failed',
  chooseAnother: 'Choose another model',
  table: 'Table',
  // Before the first token
  /** @param {string} model */
  queued: (model) => `Waiting for ${model} to finish other answers`,
  /** @param {string} model */
  waitingFor: (model) => `Waiting for ${model}`,
  /** @param {string} model */
  loading: (model) => `Loading ${model}`,
  /** @param {string} model @param {string[]} others */
  makingRoom: (model, others) => (others.length ? `Unloading ${others.join(' and ')} to make room for ${model}` : `Making room for ${model}`),
  reading: 'Reading your message',
  /** @param {number} done */
  readingTokens: (done) => `Reading ${plural(done, 'token', 'tokens')}`,
  /** @param {number} done @param {number} total */
  readingOf: (done, total) => `Reading ${count(done)} of ${plural(total, 'token', 'tokens')}`,
  /** @param {string} model */
  recovering: (model) => `${model} stopped unexpectedly. Starting it again and going on from here`,
  starting: 'Starting',
  // Stats
  /** @param {number} value */
  tokens: (value) => plural(value, 'token', 'tokens'),
  /** @param {string} value */
  tokensPerSecond: (value) => `${value} tokens/s`,
  /** @param {string} value */
  firstToken: (value) => `first token after ${value}`,
  /** @param {number} times */
  recovered: (times) => (times === 1 ? 'recovered once' : `recovered ${count(times)} times`),
  cutByLength: 'stopped at the length limit',
  cutByContext: 'stopped because the context is full',
  // Composer
  messageLabel: 'Message',
  /** @param {string} model */
  messageHint: (model) => `Ask ${model}`,
  messageHintNoModel: 'Choose a model to begin',
  send: 'Send',
  sendHint: 'Send (Enter)',
  stop: 'Stop',
  stopHint: 'Stop (Esc)',
  // Attached files
  attach: 'Attach files',
  attachedFiles: 'Attached files',
  /** @param {number} files */
  filesAttached: (files) => `${plural(files, 'file', 'files')} attached`,
  /** @param {string} name */
  attaching: (name) => `Attaching ${name}`,
  /** @param {string} name */
  showFile: (name) => `Show ${name}`,
  /** @param {string} name */
  removeFile: (name) => `Remove ${name}`,
  dropFiles: 'Drop files to attach them',
  dropNotGiven: 'This cannot be attached by dropping it. Choose it with the paper clip.',
  /** @param {string} name */
  fileUnreadable: (name) => `“${name}” cannot be read. If it is a folder, attach the files in it.`,
  /** @param {string} name @param {string} most */
  fileTooLarge: (name, most) => `“${name}” is too large. A text file may have up to ${most}.`,
  /** @param {string} name @param {string} most */
  pictureTooLarge: (name, most) => `“${name}” is too large. A picture may have up to ${most}.`,
  /** @param {string} name */
  pictureDamaged: (name) => `“${name}” is damaged and cannot be shown.`,
  /** @param {string} model */
  modelCannotSee: (model) => `${model} cannot see pictures. Choose a model that can, or remove them.`,
  /** @param {number} most */
  tooManyFiles: (most) => `A message can have up to ${count(most)} files. Remove some first.`,
  /** @param {string} name @param {string} most */
  filesTooLarge: (name, most) => `With “${name}” the files would be too large together. They may have up to ${most}.`,
  // Empty states
  welcome: 'What would you like to ask?',
  welcomeFirst: 'Welcome',
  firstBody: 'Llamero runs language models on this computer. Nothing you write leaves it.',
  firstDemo: 'A tiny demo model is included, so you can see how everything works. It makes up sentences and is not a real assistant.',
  tryDemo: 'Try the demo',
  demoQuestion: 'Tell me about the mountains',
  /** @param {string} model */
  emptyBodyElsewhere: (model) => `${model} may run elsewhere. What you write is sent there.`,
  /** @param {string} model */
  emptyBody: (model) => `${model} runs on this computer. Nothing you write leaves it.`,
  noModels: 'Open a model file to begin. Any GGUF file that llama.cpp can run will do.',
  loadingConversation: 'Opening the conversation',
};
