import type { Endpoint } from './call.ts';
import type { ChatQuirks } from './translate/quirks.ts';

/** A host that speaks OpenAI's dialect: all there is to say of it. */
export interface Host {
  /** What a policy writes after `use:`. */
  readonly name: string;
  readonly title: string;
  readonly base_url: string;
  /** The variable that its own documentation has for the key. */
  readonly key_variable: string;
  /** What it has besides chat completions, and messages by translation. */
  readonly more?: readonly Endpoint[];
  readonly quirks?: ChatQuirks;
}

const MAX_TOKENS = { limit: 'max_tokens' } as const;
const OPEN_MODELS = { ...MAX_TOKENS, knows: ['top_k'], effort: /gpt-oss/ } as const;

/** OpenAI-compatible hosts: adding one is one entry here. */
export const CATALOGUE: readonly Host[] = [
  {
    name: 'cerebras',
    title: 'Cerebras',
    base_url: 'https://api.cerebras.ai/v1',
    key_variable: 'CEREBRAS_API_KEY',
    more: ['completions'],
    quirks: { limit: 'max_completion_tokens', effort: /gpt-oss/ },
  },
  {
    name: 'cohere',
    title: 'Cohere’s compatible endpoint',
    base_url: 'https://api.cohere.ai/compatibility/v1',
    key_variable: 'COHERE_API_KEY',
    more: ['embeddings'],
    quirks: { ...MAX_TOKENS, lacks: ['parallel_tool_calls', 'user', 'service_tier'] },
  },
  {
    name: 'deepinfra',
    title: 'DeepInfra',
    base_url: 'https://api.deepinfra.com/v1/openai',
    key_variable: 'DEEPINFRA_TOKEN',
    more: ['completions', 'embeddings'],
    quirks: OPEN_MODELS,
  },
  {
    name: 'deepseek',
    title: 'DeepSeek',
    base_url: 'https://api.deepseek.com',
    key_variable: 'DEEPSEEK_API_KEY',
    quirks: {
      ...MAX_TOKENS,
      joins_text: true,
      thinking_switch: /./,
      reasoning: 'reasoning_content',
      lacks: ['parallel_tool_calls', 'user', 'service_tier'],
    },
  },
  {
    name: 'fireworks',
    title: 'Fireworks',
    base_url: 'https://api.fireworks.ai/inference/v1',
    key_variable: 'FIREWORKS_API_KEY',
    more: ['completions', 'embeddings', 'responses'],
    quirks: OPEN_MODELS,
  },
  {
    name: 'gemini',
    title: 'Gemini’s compatible endpoint',
    base_url: 'https://generativelanguage.googleapis.com/v1beta/openai',
    key_variable: 'GEMINI_API_KEY',
    more: ['embeddings'],
    quirks: {
      ...MAX_TOKENS,
      effort: /gemini-(2\.5|[3-9])/,
      // What Google documents for calls that the model has not signed.
      call_mark: {
        models: /gemini-([3-9]|.*latest)/,
        fields: {
          extra_content: { google: { thought_signature: 'skip_thought_signature_validator' } },
        },
      },
      lacks: ['parallel_tool_calls', 'user', 'service_tier'],
    },
  },
  {
    name: 'groq',
    title: 'Groq',
    base_url: 'https://api.groq.com/openai/v1',
    key_variable: 'GROQ_API_KEY',
    more: ['responses'],
    quirks: { reasoning: 'reasoning', effort: /gpt-oss/ },
  },
  {
    name: 'huggingface',
    title: 'Hugging Face’s router',
    base_url: 'https://router.huggingface.co/v1',
    key_variable: 'HF_TOKEN',
    quirks: MAX_TOKENS,
  },
  {
    name: 'mistral',
    title: 'Mistral',
    base_url: 'https://api.mistral.ai/v1',
    key_variable: 'MISTRAL_API_KEY',
    more: ['embeddings', 'moderations'],
    quirks: {
      ...MAX_TOKENS,
      stream_options: false,
      call_ids: /^[A-Za-z0-9]{9}$/,
      lacks: ['user', 'service_tier'],
    },
  },
  {
    name: 'moonshot',
    title: 'Moonshot',
    base_url: 'https://api.moonshot.ai/v1',
    key_variable: 'MOONSHOT_API_KEY',
    quirks: {
      ...MAX_TOKENS,
      thinking_switch: /kimi-k(2\.[5-9]|[3-9])/,
      reasoning: 'reasoning_content',
      lacks: ['parallel_tool_calls', 'user', 'service_tier'],
    },
  },
  {
    name: 'nvidia',
    title: 'NVIDIA’s hosted models',
    base_url: 'https://integrate.api.nvidia.com/v1',
    key_variable: 'NVIDIA_API_KEY',
    more: ['completions', 'embeddings'],
    quirks: { ...MAX_TOKENS, lacks: ['parallel_tool_calls', 'user', 'service_tier'] },
  },
  {
    name: 'openrouter',
    title: 'OpenRouter',
    base_url: 'https://openrouter.ai/api/v1',
    key_variable: 'OPENROUTER_API_KEY',
    more: ['completions', 'responses'],
    quirks: { ...MAX_TOKENS, knows: ['top_k'], reasoning: 'reasoning', effort: /./, xhigh: /./ },
  },
  {
    name: 'perplexity',
    title: 'Perplexity',
    base_url: 'https://api.perplexity.ai',
    key_variable: 'PERPLEXITY_API_KEY',
    quirks: {
      ...MAX_TOKENS,
      stream_options: false,
      effort: /reasoning|research/,
      lacks: ['tools', 'tool_choice', 'parallel_tool_calls', 'user', 'service_tier'],
    },
  },
  {
    name: 'qwen',
    title: 'Qwen at Alibaba’s Model Studio',
    base_url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    key_variable: 'DASHSCOPE_API_KEY',
    more: ['embeddings'],
    quirks: { ...MAX_TOKENS, knows: ['top_k'], lacks: ['user', 'service_tier'] },
  },
  {
    name: 'sambanova',
    title: 'SambaNova',
    base_url: 'https://api.sambanova.ai/v1',
    key_variable: 'SAMBANOVA_API_KEY',
    more: ['embeddings'],
    quirks: OPEN_MODELS,
  },
  {
    name: 'together',
    title: 'Together',
    base_url: 'https://api.together.xyz/v1',
    key_variable: 'TOGETHER_API_KEY',
    more: ['completions', 'embeddings'],
    quirks: OPEN_MODELS,
  },
  {
    name: 'xai',
    title: 'xAI',
    base_url: 'https://api.x.ai/v1',
    key_variable: 'XAI_API_KEY',
    more: ['responses'],
    quirks: {
      reasoning: 'reasoning_content',
      effort: /grok-3-mini/,
      no_stop: /grok-(3-mini|[4-9]|code)(?!.*non-reasoning)/,
    },
  },
  {
    name: 'zai',
    title: 'Z.ai',
    base_url: 'https://api.z.ai/api/paas/v4',
    key_variable: 'ZAI_API_KEY',
    quirks: {
      ...MAX_TOKENS,
      thinking_switch: /glm-(4\.[5-9]|[5-9])/,
      reasoning: 'reasoning_content',
      lacks: ['parallel_tool_calls', 'user', 'service_tier'],
    },
  },
];
