// `decorator-framework/chat`: chats whose messages are commands.

// A chat over WebSocket.
export { webSocketChat, type WebSocketChat, type WebSocketChatOptions } from "./web-socket-chat.ts";

// Adapters of your own.
export type { ChatAdapter, ChatHost, ChatMessage, Receive } from "./adapter.ts";

// What a handler of a command may return: a text, and data for programs.
export { said } from "../commands/reply.ts";
