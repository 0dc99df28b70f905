/** Block Kit as Slack checks it (docs.slack.dev/reference/block-kit): what is over a limit is refused, whole. */
import { z } from "zod";

const Markdown = (max: number) =>
  z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(max), verbatim: z.boolean().optional() });
const Plain = (max: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: z.string().min(1).max(max), emoji: z.boolean().optional() });

const Button = z.strictObject({
  type: z.literal("button"),
  action_id: z.string().min(1).max(255),
  text: Plain(75),
  value: z.string().max(2000).optional(),
  url: z.url().max(3000).optional(),
  style: z.enum(["primary", "danger"]).optional(),
});
export type Button = z.infer<typeof Button>;

const BlockId = { block_id: z.string().max(255).optional() };
const Block = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("section"), text: z.union([Markdown(3000), Plain(3000)]), ...BlockId }),
  z.strictObject({
    type: z.literal("context"),
    elements: z
      .array(z.union([Markdown(3000), Plain(3000)]))
      .min(1)
      .max(10),
    ...BlockId,
  }),
  z.strictObject({ type: z.literal("actions"), elements: z.array(Button).min(1).max(25), ...BlockId }),
  z.strictObject({ type: z.literal("divider"), ...BlockId }),
]);
type Block = z.infer<typeof Block>;

const Blocks = z.array(Block).max(50);
const Attachment = z.strictObject({
  color: z
    .string()
    .regex(/^#[0-9a-f]{6}$/)
    .optional(),
  fallback: z.string().optional(),
  blocks: Blocks.min(1),
});

export interface Body {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly attachments: readonly z.infer<typeof Attachment>[];
}

/** docs.slack.dev/reference/views/modal-views, with one field. */
export const View = z.strictObject({
  type: z.literal("modal"),
  private_metadata: z.string().max(3000),
  title: Plain(24),
  submit: Plain(24),
  close: Plain(24),
  blocks: z
    .array(
      z.strictObject({
        type: z.literal("input"),
        block_id: z.string().max(255),
        optional: z.boolean(),
        label: Plain(2000),
        element: z.strictObject({
          type: z.literal("plain_text_input"),
          action_id: z.string().max(255),
          max_length: z.int().max(3000),
        }),
      }),
    )
    .length(1),
});
export type View = z.infer<typeof View>;

/** Parses what came urlencoded; a string is Slack's word for what is wrong with it. */
export function parseBody(args: Readonly<Record<string, string>>): Body | string {
  const text = args.text ?? "";
  if (text.length > 40_000) return "msg_too_long";
  const blocks = Blocks.safeParse(JSON.parse(args.blocks ?? "[]"));
  if (!blocks.success) return "invalid_blocks";
  const attachments = z
    .array(Attachment)
    .max(100)
    .safeParse(JSON.parse(args.attachments ?? "[]"));
  if (!attachments.success) return "invalid_attachments";
  const ids = allBlocks({ blocks: blocks.data, attachments: attachments.data }).flatMap((block) =>
    block.type === "actions" ? block.elements.map(({ action_id }) => action_id) : [],
  );
  if (new Set(ids).size < ids.length) return "invalid_blocks";
  if (text === "" && blocks.data.length === 0 && attachments.data.length === 0) return "no_text";
  return { text, blocks: blocks.data, attachments: attachments.data };
}

function allBlocks({ blocks, attachments }: Pick<Body, "blocks" | "attachments">): Block[] {
  return [...blocks, ...attachments.flatMap((attachment) => attachment.blocks)];
}

export function buttonsOf(body: Body): Button[] {
  return allBlocks(body).flatMap((block) => (block.type === "actions" ? block.elements : []));
}

/** What a person reads: without blocks the text, else the blocks, with `|` before what stands beside a coloured bar. */
export function shownText({ text, blocks, attachments }: Body): string {
  const above = blocks.length === 0 ? [text] : blocks.flatMap(blockText);
  const below = attachments
    .flatMap((attachment) => attachment.blocks.flatMap(blockText))
    .flatMap((part) => part.split("\n"));
  return [...above, ...below.map((line) => `| ${line}`)].filter((line) => line !== "").join("\n");
}

function blockText(block: Block): string[] {
  switch (block.type) {
    case "section":
      return [block.text.text];
    case "context":
      return [block.elements.map(({ text }) => text).join(" ")];
    case "actions":
      return [block.elements.map(({ text }) => `[${text.text}]`).join(" ")];
    case "divider":
      return ["---"];
    default:
      return block satisfies never;
  }
}
