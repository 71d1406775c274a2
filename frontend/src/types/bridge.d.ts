// Made by build/generate_bridge_types.py from the Structs in backend/llamero/models. Do not edit.

/** A channel that the page has opened; JSON has it as `__CHANNEL__:<number>`. */
export interface ChannelArgument {
  toJSON(): string;
}

/** No arguments. */
export interface Empty {}

/** All that a page needs to draw itself. `streaming` are the ids of messages that are being answered now. */
export interface Snapshot {
  version: string;
  native_dialogs: boolean;
  gateway_url: string | null;
  models: ModelInfo[];
  servers: ServerInfo[];
  conversations: Conversation[];
  streaming: string[];
  ui: UiState;
  attachment_limits: AttachmentLimits;
  metrics: MetricsSnapshot | null;
  notices: string[];
}

/** A model that can be chosen. None of the parameters: the engine's choice. `missing`: its file is not there. */
export interface ModelInfo {
  alias: string;
  path: string;
  kind: AliasKind;
  is_demo: boolean;
  size_bytes: number | null;
  architecture: string | null;
  trained_context: number | null;
  layers: number | null;
  embedding: boolean;
  context_length: number | null;
  gpu_layers: number | null;
  threads: number | null;
  keep_alive_s: number | null;
  missing: boolean;
  sees: boolean | null;
}

export type AliasKind = 'user' | 'model' | 'api' | 'fallback';

/** One server, for people. `reason` says in a sentence why it failed; `log_tail` holds its last lines then. */
export interface ServerInfo {
  alias: string;
  phase: ServerPhase;
  held: boolean;
  leases: number;
  waiting: number;
  restarts: number;
  since: number | null;
  pid: number | null;
  reason: string | null;
  log_tail: string[];
}

export type ServerPhase = 'stopped' | 'starting' | 'ready' | 'stopping' | 'failed';

/** One conversation without its messages. `title_is_automatic` until a person renames it. */
export interface Conversation {
  id: string;
  title: string;
  title_is_automatic: boolean;
  created_at: number;
  updated_at: number;
  head: string | null;
  model: string | null;
  system_prompt: string;
  sampling: Sampling;
  deleted_at: number | null;
  forked_from: string | null;
}

/** Parameters of the chat completions API that a person sets; None leaves the choice to the engine. */
export interface Sampling {
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  min_p?: number | null;
  repeat_penalty?: number | null;
  presence_penalty?: number | null;
  frequency_penalty?: number | null;
  max_tokens?: number | null;
  seed?: number | null;
}

/** What the page remembers from one start to the next. `theme`: system, light or dark. */
export interface UiState {
  theme?: string;
  list_folded?: boolean;
  conversation_id?: string | null;
  model?: string | null;
  drafts?: Record<string, string>;
  draft_attachments?: Record<string, Attachment[]>;
}

/** A file that goes with a question, without its body. `name` has no path; `size` in bytes. */
export interface Attachment {
  id: string;
  name: string;
  kind: AttachmentKind;
  media_type: string;
  size: number;
}

export type AttachmentKind = 'text' | 'image';

/** What a question may bring: files, and bytes of each kind of file and of all together. */
export interface AttachmentLimits {
  files: number;
  text_bytes: number;
  image_bytes: number;
  total_bytes: number;
}

/** CPU, RAM, GPU and VRAM, every running server, and the requests that run and wait. */
export interface MetricsSnapshot {
  hardware: HardwareMetrics;
  servers: ServerMetrics[];
  running: number;
  waiting: number;
}

/** One sample. `at` is wall-clock seconds since the epoch, `monotonic` orders samples across clock changes. */
export interface HardwareMetrics {
  at: number;
  monotonic: number;
  cpu: number | null;
  cpu_cores: number[];
  ram_used: number | null;
  ram_total: number | null;
  gpus: GpuMetrics[];
  gpu_note: string | null;
}

/** One GPU. `source` says who was asked: nvml, nvidia-smi or amd-sysfs. */
export interface GpuMetrics {
  index: number;
  name: string;
  source: string;
  utilization: number | null;
  memory_used: number | null;
  memory_total: number | null;
  temperature_c: number | null;
  power_w: number | null;
  uuid: string | null;
}

/** What one running server costs and does. */
export interface ServerMetrics {
  alias: string;
  phase: ServerPhase;
  leases: number;
  waiting: number;
  slots: number | null;
  slots_busy: number | null;
  context_tokens: number | null;
  context_limit: number | null;
  pid: number | null;
  uptime_s: number | null;
  process: ProcessMetrics | null;
  activity: ServerActivity;
}

/** One process tree: CPU in percent of one core, resident and GPU memory. */
export interface ProcessMetrics {
  pid: number;
  cpu: number | null;
  rss: number | null;
  gpu_memory: number | null;
  processes: number;
}

/** What one model did since the sample before, as its own answers tell. Speeds are in tokens per second. */
export interface ServerActivity {
  generation_speed: number;
  prompt_speed: number | null;
  first_token_s: number | null;
  context_tokens: number | null;
}

/** One conversation. */
export interface ConversationRef {
  conversation_id: string;
}

/** A conversation and every message of its tree, in order of time. */
export interface ConversationWithMessages {
  conversation: Conversation;
  messages: Message[];
}

/** One message of the tree. `model` is the alias that answered; only questions have attachments. */
export interface Message {
  id: string;
  conversation_id: string;
  parent_id: string | null;
  role: Role;
  content: string;
  reasoning: string;
  status: MessageStatus;
  model: string | null;
  created_at: number;
  error: MessageError | null;
  stats: AnswerStats | null;
  attachments: Attachment[];
  edited: boolean;
}

export type Role = 'user' | 'assistant';

export type MessageStatus = 'streaming' | 'complete' | 'stopped' | 'interrupted' | 'failed';

/** Why an answer failed: a stable code and a sentence for people. */
export interface MessageError {
  code: string;
  message: string;
}

/** What the line under an answer says. Times in ms; counts in tokens. */
export interface AnswerStats {
  prompt_tokens: number | null;
  completion_tokens: number | null;
  prompt_ms: number | null;
  generation_ms: number | null;
  first_token_ms: number | null;
  recoveries: number;
  finish_reason: string | null;
}

/** Ask. Without a conversation a new one begins; without a parent the message goes under the head. */
export interface SendChatMessage {
  text: string;
  model: string;
  on: ChannelArgument;
  conversation_id?: string | null;
  parent_id?: string | null;
  system_prompt?: string | null;
  sampling?: Sampling | null;
  attachments?: string[];
}

/** What was saved before the answer began. `user_message` is None for a retry. */
export interface Asked {
  conversation: Conversation;
  assistant_message: Message;
  user_message: Message | null;
}

/** Say something else in the place of a message of the user's; a sibling with an answer of its own. */
export interface EditMessage {
  message_id: string;
  text: string;
  model: string;
  on: ChannelArgument;
}

/** Answer once more, beside the given answer; or answer the given question. */
export interface RetryMessage {
  message_id: string;
  model: string;
  on: ChannelArgument;
}

/** Follow an answer that is under way, after a reload or in a second window. */
export interface WatchMessage {
  message_id: string;
  on: ChannelArgument;
}

/** One message. */
export interface MessageRef {
  message_id: string;
}

/** Show the branch that this message is on, down to its newest leaf. */
export interface SelectBranch {
  conversation_id: string;
  message_id: string;
}

/** Put other words beside an answer; nobody is asked. */
export interface EditAnswer {
  message_id: string;
  text: string;
}

/** The answer as a person made it, and its conversation, which shows it. */
export interface EditedAnswer {
  conversation: Conversation;
  message: Message;
}

/** Give a title. */
export interface RenameConversation {
  conversation_id: string;
  title: string;
}

/** Change how a conversation is answered from now on; None leaves a field as it is. */
export interface ChangeConversation {
  conversation_id: string;
  model?: string | null;
  system_prompt?: string | null;
  sampling?: Sampling | null;
}

/** Deleted conversations, the last one first, and for how many seconds each is kept. */
export interface Trash {
  conversations: Conversation[];
  kept_s: number;
}

/** What went with a message: itself and all below it. The conversation is as it is now. */
export interface DeletedMessages {
  conversation: Conversation;
  message_ids: string[];
}

/** Find words in titles and messages. */
export interface SearchMessages {
  query: string;
  limit?: number;
}

/** A message that matches a search; `snippet` marks the words with U+E000 and U+E001. */
export interface SearchHit {
  conversation_id: string;
  message_id: string;
  title: string;
  snippet: string;
}

/** Keep a blob as a file that a question may bring. `name` is what the file is called where it comes from. */
export interface AddAttachment {
  handle: string;
  name: string;
}

/** One attachment. */
export interface AttachmentRef {
  attachment_id: string;
}

/** An attachment with what is in it: a text, or an image as a `data:` address. */
export interface AttachmentContent {
  attachment: Attachment;
  text: string | null;
  image: string | null;
}

/** Know a model file by its path. */
export interface AddModelFile {
  path: string;
}

/** How a model is run from the next request on; None: the engine's choice. All fields are set together. */
export interface ChangeModel {
  alias: string;
  context_length?: number | null;
  gpu_layers?: number | null;
  threads?: number | null;
  keep_alive_s?: number | null;
}

/** One model by its alias. */
export interface ModelRef {
  alias: string;
}

/** Stop one model, or all. */
export interface StopModel {
  alias?: string | null;
}

/** What a person may want to know about one server. `engine` is None for a model that has none, and `engine_note` */
export interface ServerDetails {
  server: ServerInfo;
  model_path: string | null;
  generation: number;
  port: number | null;
  engine: EngineKind | null;
  variant: string;
  engine_note: string;
  command: string[];
  flags: LaunchFlag[];
  exits: ExitInfo[];
  memory_bytes: number;
  keep_alive_s: number | null;
  unloads_at: number | null;
}

export type EngineKind = 'settings' | 'installed' | 'path' | 'bundled' | 'embedded';

/** A flag as a person would write it, and who asked for it: settings, variant, alias, config, or the model. */
export interface LaunchFlag {
  text: string;
  origin: string;
}

/** One end of a process that nobody asked for. `ran_s`: for so long it had been ready; None if it never was. */
export interface ExitInfo {
  at: number;
  reason: string;
  exit_status: number | null;
  ran_s: number | null;
}

/** What an engine wrote after the first `written` lines of its process `generation`. */
export interface GetServerOutput {
  alias: string;
  generation?: number;
  written?: number;
}

/** Lines of an engine, oldest first. Another `generation` than was asked for: another process, from its start. */
export interface ServerOutput {
  generation: number;
  written: number;
  lines: string[];
}

/** The last lines of an engine, oldest first. */
export interface ServerLog {
  alias: string;
  lines: string[];
}

/** Where other programs find the gateway. Addresses are base URLs without a path, for programs on this machine. */
export interface GatewayState {
  url: string;
  ollama_port: number;
  ollama_url: string | null;
  key_required: boolean;
}

/** Make a key for other programs. */
export interface CreateApiKey {
  name: string;
  scopes?: Scope[];
  days?: number | null;
  requests_per_minute?: number | null;
  streams?: number | null;
}

export type Scope = 'inference' | 'management';

/** A key that has just been made. `secret` is what clients send, and is nowhere else. */
export interface NewApiKey {
  secret: string;
  key: ApiKey;
}

/** One key as people see it. Times are seconds since the epoch; None stands for never and for no limit. */
export interface ApiKey {
  id: string;
  name: string;
  start: string;
  scopes: Scope[];
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
  requests_per_minute: number | null;
  streams: number | null;
}

/** Let nobody in with this key any more. */
export interface RevokeApiKey {
  name: string;
}

/** A model under a name of the user's choice. */
export interface UserAlias {
  type: 'user';
  name: string;
  file: string;
  hub: string;
  defaults: Record<string, unknown>;
  system_prompt: string;
  context_length: number | null;
  gpu_layers: number | null;
  threads: number | null;
  parallel: number | null;
  embedding: boolean;
  arguments: string[];
  keep_alive_s: number | null;
  rpc: string[];
}

/** A remote server that speaks OpenAI: a hosted API, vLLM, SGLang, another Llamero. */
export interface ApiModel {
  type: 'api';
  name: string;
  base_url: string;
  prefix: string;
  models: string[];
  forward_all: boolean;
  headers: Record<string, string>;
  strip: string[];
}

/** Names that are tried in order. One that fails is left alone for `cooldown_s`, or longer where it asks for it. */
export interface FallbackAlias {
  type: 'fallback';
  name: string;
  targets: string[];
  cooldown_s: number;
}

/** How names do: the key of each remote server, by the server's name, and the targets that are left alone. */
export interface AliasConditions {
  keys: Record<string, KeyState>;
  paused: PausedName[];
}

export type KeyState = 'none' | 'missing' | 'kept' | 'rejected' | 'unreadable';

/** A target of fallbacks that failed, and comes last until then, in seconds since the epoch. */
export interface PausedName {
  name: string;
  until: number;
  reason: string;
}

/** Keep an alias, in the place of the one of that name or of `former`. `key` is a remote server's; None keeps it. */
export interface SaveAlias {
  alias: UserAlias | ApiModel | FallbackAlias;
  key?: string | null;
  former?: string | null;
  place?: number | null;
}

/** An alias as it was kept, and sentences that the person should read. */
export interface SavedAlias {
  alias: UserAlias | ApiModel | FallbackAlias;
  notices: string[];
}

/** Know an alias no longer; the model's file stays. */
export interface DeleteAlias {
  name: string;
}

/** Sentences that the person should read. */
export interface DeletedAlias {
  notices: string[];
}

/** Open a link outside; only http, https and mailto are. */
export interface OpenLink {
  url: string;
}

/** Every setting, in the order of the file, and sentences about what in the file cannot be used. */
export interface SettingsReport {
  file: string;
  settings: Setting[];
  problems: string[];
}

/** One setting as it is decided now. */
export interface Setting {
  path: string;
  kind: SettingKind;
  label: string;
  help: string;
  value: boolean | number | string | string[];
  default: boolean | number | string | string[];
  source: Source;
  place: string;
  variable: string;
  fixed: string | null;
  running: boolean | number | string | string[] | null;
  least: number | null;
  most: number | null;
}

export type SettingKind = 'switch' | 'integer' | 'number' | 'text' | 'lines';

export type Source = 'default' | 'file' | 'environment' | 'command line';

/** Write a setting into the file; None takes it out, so that its default counts. */
export interface ChangeSetting {
  path: string;
  value: boolean | number | string | string[] | null;
}

/** `engine` is what models run on where nothing else is said, in words; empty where there is none. */
export interface About {
  build: BuildInfo;
  engine: string;
  system: string;
  python: string;
  places: Place[];
}

/** Where the running program comes from. */
export interface BuildInfo {
  version: string;
  commit: string | null;
  built: string | null;
}

/** A folder of Llamero's, or the settings file. */
export interface Place {
  name: PlaceName;
  path: string;
}

export type PlaceName = 'data' | 'models' | 'logs' | 'cache' | 'settings' | 'updates';

/** A work of others that is part of Llamero; `license` is the short name of its terms. */
export interface LicenseSummary {
  name: string;
  version: string;
  license: string;
}

/** One work of others. */
export interface LicenseRef {
  name: string;
}

/** A work of others in the package: `license` is the short name of its terms, as its makers call them. */
export interface ThirdPartyLicense {
  name: string;
  version: string;
  license: string;
  text: string;
}

/** What is known of newer releases. */
export interface UpdateReport {
  possible: boolean;
  current: string;
  newest: string | null;
  newer: boolean;
  page: string | null;
  file: string | null;
  done: number | null;
  total: number | null;
  path: string | null;
}

/** Show a place in the system's own file manager; the settings file in a program for text. */
export interface OpenPlace {
  place: PlaceName;
}

/** Remember how the page looks. */
export interface SetUiState {
  ui: UiState;
}

/** Somebody watches the log (or no longer does): new lines come as the event `logs` meanwhile. */
export interface WatchLogs {
  watching: boolean;
}

/** The last lines of the log, and where its file is. */
export interface LogHistory {
  path: string | null;
  history: LogLines;
}

/** Records that follow each other. `first` is the number of the first; numbers that were skipped were dropped. */
export interface LogLines {
  first: number;
  lines: LogLine[];
}

/** One record. `at` is seconds since the epoch; `name` is the logger, or the model whose engine wrote it. */
export interface LogLine {
  at: number;
  level: string;
  source: LogSource;
  name: string;
  text: string;
}

export type LogSource = 'app' | 'engine';

/** Measure a model; how it goes is told to every window as the event `bench`. */
export interface StartBench {
  model: string;
  quick?: boolean;
}

/** What is measured now, and what was measured, the newest first. */
export interface BenchRuns {
  now: BenchFrame | null;
  runs: BenchRun[];
}

/** What whoever follows a run is told: what it does now, the run so far, and at the end what came of it. */
export interface BenchFrame {
  progress: BenchProgress | null;
  run: BenchRun | null;
  report: BenchReport | null;
  error: string;
}

/** What a run does now. `case` is None while the model is loaded and warmed up; rounds count from 1. */
export interface BenchProgress {
  model: string;
  done: number;
  planned: number;
  case: BenchCase | null;
  round: number;
  rounds: number;
}

/** What is measured at once. `prompt` is the length that was aimed at, in tokens. */
export interface BenchCase {
  prompt: number;
  streams: number;
}

/** One run. `id` is 0 before it is kept; `engine` is None for what is not on this machine. */
export interface BenchRun {
  id: number;
  model: string;
  place: BenchPlace;
  started_at: number;
  end: BenchEnd;
  quick: boolean;
  hardware: BenchHardware;
  version: string;
  planned: number;
  results: BenchResult[];
  engine: BenchEngine | null;
  file: string;
  file_size: number;
  note: string;
}

export type BenchPlace = 'local' | 'remote' | 'fallback';

export type BenchEnd = 'running' | 'complete' | 'stopped' | 'failed';

/** The machine that was measured. `cores` are physical, `threads` what the system counts. */
export interface BenchHardware {
  cpu: string;
  cores: number | null;
  threads: number | null;
  memory: number | null;
  gpus: string[];
}

/** The medians of a case. `prompt_speed` and `generation_speed` are those of one stream, `total_speed` of all. */
export interface BenchResult {
  case: BenchCase;
  prompt_tokens: number;
  prompt_speed: number;
  generation_speed: number;
  total_speed: number;
  first_token_ms: number;
  spread: number;
  rounds: number;
}

/** The engine that was measured: where it was found, which build, and its arguments as they were in effect. */
export interface BenchEngine {
  kind: string;
  variant: string;
  build: string;
  arguments: string;
  context: number | null;
  slots: number | null;
}

/** A run, and how it compares to an earlier one of the same model, where there is one with a case in common. */
export interface BenchReport {
  run: BenchRun;
  comparison: BenchComparison | null;
}

/** A run against an earlier one. */
export interface BenchComparison {
  id: number;
  started_at: number;
  differences: BenchDifference[];
  changes: BenchChange[];
}

export type BenchDifference = 'file' | 'hardware' | 'engine' | 'arguments' | 'place';

/** One case against the same case of another run, in percent of that. */
export interface BenchChange {
  case: BenchCase;
  prompt_speed: number;
  generation_speed: number;
  total_speed: number;
}

/** One run of a bench, and with which other it is to be compared; None: with the one that suits best. */
export interface BenchRef {
  id: number;
  against?: number | null;
}

/** Somebody looks (or no longer does): samples come every second as the event `metrics` meanwhile. */
export interface WatchMetrics {
  watching: boolean;
  closely?: boolean;
}

/** The hardware's past: all of a range, or what came `after` a time that the asker has; `cores`: with each core. */
export interface GetMetricsHistory {
  range: HistoryRange;
  after?: number | null;
  cores?: boolean;
}

export type HistoryRange = '5m' | '1h' | '24h';

/** The past of a range: rows of about `resolution_s` seconds, a row of nulls where nothing was measured for long. */
export interface MetricsHistory {
  range: HistoryRange;
  resolution_s: number;
  start: number;
  end: number;
  times: number[];
  series: MetricsSeries[];
  generations: Generation[];
}

/** One value over time, null where it is not known. `peaks` are the highest of each row, where rows are means. */
export interface MetricsSeries {
  quantity: string;
  unit: string;
  subject: string | null;
  values: (number | null)[];
  peaks: (number | null)[] | null;
}

/** One request to a model of this machine, from when it was asked to its end; seconds since the epoch. */
export interface Generation {
  alias: string;
  start: number;
  end: number;
}

/** Let the user choose where to put a blob. `name` is what the file is called unless they say otherwise. */
export interface SaveFile {
  handle: string;
  name: string;
}

/** Where it is now; None when the user chose no place. */
export interface SavedFile {
  path: string | null;
}

/** All of a range, as comma-separated values. */
export interface ExportMetrics {
  range: HistoryRange;
}

/** The past of a range as comma-separated values, with a name for the file. */
export interface MetricsExport {
  file_name: string;
  content: string;
}

/** Filter the list. `text` is looked for in everything that was kept, without regard to case. */
export interface ListRequests {
  after?: string | null;
  text?: string;
  model?: string;
  status?: number | null;
  errors_only?: boolean;
}

/** The newest first. `content`: bodies and events are kept; `content_allowed`: the settings let that be. */
export interface RequestList {
  requests: RequestSummary[];
  enabled: boolean;
  content: boolean;
  content_allowed: boolean;
  gateway_url: string | null;
}

/** One line of the list. */
export interface RequestSummary {
  id: string;
  at: number;
  dialect: string;
  route: string;
  client: string;
  outcome: Outcome;
  phases: Phase[];
  model: string;
  address: string;
  key_name: string | null;
  destination: string | null;
  preview: string;
  status: number | null;
  duration_ms: number | null;
  prompt_tokens: number | null;
  generated_tokens: number | null;
  tokens_per_second: number | null;
  recoveries: number;
  error: string | null;
  replay_of: string | null;
  has_content: boolean;
}

export type Outcome = 'running' | 'finished' | 'failed' | 'gone';

/** One bar of the waterfall. */
export interface Phase {
  kind: PhaseKind;
  start_ms: number;
  end_ms: number;
}

export type PhaseKind = 'receive' | 'queue' | 'load' | 'prompt' | 'generation' | 'recovery';

/** One request. */
export interface RequestRef {
  id: string;
}

/** Everything about one request. `events` are the model's, before they were put into the client's dialect. */
export interface RequestDetails {
  summary: RequestSummary;
  method: string;
  path: string;
  steps: Step[];
  body: Text;
  sent: SentRequest[];
  events: RawEvent[];
  events_are_cut: boolean;
  answer: string;
  reasoning: string;
  can_replay: boolean;
  can_render: boolean;
}

/** One model that was asked. Where several were, an alias fell back; `error` says why the next one was tried. */
export interface Step {
  alias: string;
  is_remote: boolean;
  target: string;
  at_ms: number;
  error: string | null;
}

/** A body as text. `size` in bytes is that of the whole; None of `text`: nothing of it was kept. */
export interface Text {
  text: string | null;
  size: number;
  is_cut: boolean;
  content_type: string;
}

/** What an engine or a remote server was sent, after everything was merged. More than one after a recovery. */
export interface SentRequest {
  endpoint: string;
  method: string;
  at_ms: number;
  body: Text;
}

/** What arrived at once from the model: usually one event. */
export interface RawEvent {
  at_ms: number;
  text: string;
}

/** The text that the model's template makes of the messages. */
export interface RenderedPrompt {
  prompt: string;
}

/** Keep what requests and answers say from now on, or forget it. */
export interface SetInspector {
  content: boolean;
}

/** What is remembered of a person's choice. */
export interface InspectorState {
  content: boolean;
}

/** Somebody looks (or no longer does): the event `requests` comes meanwhile. */
export interface WatchRequests {
  watching: boolean;
}

/** One message and the conversation that it is in. */
export interface MessagePlace {
  conversation_id: string;
  message_id: string;
}

/** What is new since the last time. `is_reset`: forget what was known before, for it was cleared or changed. */
export interface RequestsChanged {
  requests: RequestSummary[];
  is_reset: boolean;
}

/** The desktop asks the window for a new chat: with a model that was opened, or with the one that it has. */
export interface NewChat {
  model: string | null;
}

/** More of an answer: text, reasoning, what happens meanwhile; at the end the message as it was saved. */
export interface ChatFrame {
  text?: string;
  reasoning?: string;
  progress?: Progress | null;
  tokens_per_second?: number | null;
  message?: Message | null;
}

/** What happens now. `done` and `total` in tokens, where known. */
export interface Progress {
  kind: ProgressKind;
  model: string;
  done: number | null;
  total: number | null;
}

export type ProgressKind = 'queued' | 'loading' | 'reading' | 'recovering';

/** Every command: what it takes and what it gives. */
export interface Commands {
  get_snapshot: { args: Empty; result: Snapshot };
  get_conversation: { args: ConversationRef; result: ConversationWithMessages };
  send_chat_message: { args: SendChatMessage; result: Asked };
  edit_message: { args: EditMessage; result: Asked };
  retry_message: { args: RetryMessage; result: Asked };
  watch_message: { args: WatchMessage; result: Message };
  stop_message: { args: MessageRef; result: Message };
  select_branch: { args: SelectBranch; result: Conversation };
  edit_answer: { args: EditAnswer; result: EditedAnswer };
  fork_conversation: { args: MessageRef; result: Conversation };
  rename_conversation: { args: RenameConversation; result: Conversation };
  change_conversation: { args: ChangeConversation; result: Conversation };
  delete_conversation: { args: ConversationRef; result: null };
  list_deleted_conversations: { args: Empty; result: Trash };
  restore_conversation: { args: ConversationRef; result: Conversation };
  delete_message: { args: MessageRef; result: DeletedMessages };
  restore_message: { args: MessageRef; result: Conversation };
  search_messages: { args: SearchMessages; result: SearchHit[] };
  add_attachment: { args: AddAttachment; result: Attachment };
  discard_attachment: { args: AttachmentRef; result: null };
  get_attachment: { args: AttachmentRef; result: AttachmentContent };
  add_model_file: { args: AddModelFile; result: ModelInfo };
  choose_model_file: { args: Empty; result: ModelInfo | null };
  change_model: { args: ChangeModel; result: ModelInfo };
  start_model: { args: ModelRef; result: ServerInfo };
  stop_model: { args: StopModel; result: null };
  restart_model: { args: ModelRef; result: ServerInfo };
  unload_model: { args: ModelRef; result: null };
  get_server_details: { args: ModelRef; result: ServerDetails };
  get_server_output: { args: GetServerOutput; result: ServerOutput };
  get_server_log: { args: ModelRef; result: ServerLog };
  get_gateway: { args: Empty; result: GatewayState | null };
  create_api_key: { args: CreateApiKey; result: NewApiKey };
  list_api_keys: { args: Empty; result: ApiKey[] };
  revoke_api_key: { args: RevokeApiKey; result: ApiKey };
  list_aliases: { args: Empty; result: (UserAlias | ApiModel | FallbackAlias)[] };
  get_alias_conditions: { args: Empty; result: AliasConditions };
  save_alias: { args: SaveAlias; result: SavedAlias };
  delete_alias: { args: DeleteAlias; result: DeletedAlias };
  open_link: { args: OpenLink; result: null };
  get_settings: { args: Empty; result: SettingsReport };
  change_setting: { args: ChangeSetting; result: SettingsReport };
  get_about: { args: Empty; result: About };
  list_licenses: { args: Empty; result: LicenseSummary[] };
  get_license: { args: LicenseRef; result: ThirdPartyLicense };
  get_update: { args: Empty; result: UpdateReport };
  check_update: { args: Empty; result: UpdateReport };
  download_update: { args: Empty; result: UpdateReport };
  open_place: { args: OpenPlace; result: null };
  set_ui_state: { args: SetUiState; result: null };
  watch_logs: { args: WatchLogs; result: LogHistory };
  open_log_file: { args: Empty; result: null };
  start_bench: { args: StartBench; result: null };
  stop_bench: { args: Empty; result: null };
  list_bench_runs: { args: Empty; result: BenchRuns };
  get_bench_run: { args: BenchRef; result: BenchReport };
  watch_metrics: { args: WatchMetrics; result: null };
  get_metrics_history: { args: GetMetricsHistory; result: MetricsHistory };
  save_file: { args: SaveFile; result: SavedFile };
  export_metrics: { args: ExportMetrics; result: MetricsExport };
  list_requests: { args: ListRequests; result: RequestList };
  get_request: { args: RequestRef; result: RequestDetails };
  render_prompt: { args: RequestRef; result: RenderedPrompt };
  replay_request: { args: RequestRef; result: RequestSummary };
  clear_requests: { args: Empty; result: null };
  set_inspector: { args: SetInspector; result: InspectorState };
  watch_requests: { args: WatchRequests; result: null };
}

/** Every event: what it carries. */
export interface Events {
  conversation: Conversation;
  conversation_deleted: ConversationRef;
  message: Message;
  message_deleted: MessagePlace;
  message_restored: MessagePlace;
  servers: ServerInfo[];
  models: ModelInfo[];
  aliases: (UserAlias | ApiModel | FallbackAlias)[];
  metrics: MetricsSnapshot;
  logs: LogLines;
  requests: RequestsChanged;
  bench: BenchFrame;
  settings: SettingsReport;
  new_chat: NewChat;
  notice: string;
  update: UpdateReport;
  ui: UiState;
}
