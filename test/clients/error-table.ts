import type { ErrorClass } from '../../src/llm/error-class.ts';

/** `aborted` is what a caller made of it who left: no error at all. */
export type Outcome = ErrorClass | 'aborted';
/** By the exported name of its class: how to make one, and what it is. */
export type ErrorTable = Readonly<Record<string, readonly [make: () => unknown, outcome: Outcome]>>;
type Constructor = new (...args: never[]) => unknown;
type Module = object;

/** The classes of errors among a module's exports, by name. */
export function errorClasses(...modules: readonly Module[]): Map<string, Constructor> {
  const classes = new Map<string, Constructor>();
  for (const [name, value] of modules.flatMap((module) => Object.entries(module) as [string, unknown][])) {
    const isError = typeof value === 'function' && value.prototype instanceof Error;
    // Some have an older name too.
    if (isError && ![...classes.values()].includes(value as Constructor)) classes.set(name, value as Constructor);
  }
  return classes;
}

function make(classes: ReadonlyMap<string, Constructor>, name: string, ...args: unknown[]): unknown {
  const Class = classes.get(name);
  if (!Class) throw new Error(`no class ${name}`);
  return Reflect.construct(Class, args);
}

/** What Stainless generates for OpenAI, Anthropic, Groq and others. `names` are those that all of them have. */
export function stainless(classes: ReadonlyMap<string, Constructor>, base: string): ErrorTable {
  const byStatus = (name: string, status: number, outcome: Outcome) =>
    [
      name,
      [() => make(classes, name, status, { error: { message: 'No.' } }, undefined, new Headers()), outcome],
    ] as const;
  return {
    ...Object.fromEntries([
      byStatus('APIError', 418, 'provider_error'),
      byStatus('AuthenticationError', 401, 'provider_error'),
      byStatus('BadRequestError', 400, 'validation_error'),
      byStatus('ConflictError', 409, 'validation_error'),
      byStatus('InternalServerError', 500, 'provider_error'),
      byStatus('NotFoundError', 404, 'validation_error'),
      byStatus('PermissionDeniedError', 403, 'provider_error'),
      byStatus('RateLimitError', 429, 'rate_limit'),
      byStatus('UnprocessableEntityError', 422, 'validation_error'),
    ]),
    APIConnectionError: [() => make(classes, 'APIConnectionError', {}), 'provider_error'],
    APIConnectionTimeoutError: [() => make(classes, 'APIConnectionTimeoutError'), 'timeout'],
    APIUserAbortError: [() => make(classes, 'APIUserAbortError'), 'aborted'],
    // The SDK's own complaints: the name says nothing more.
    [base]: [() => make(classes, base, 'Something is odd.'), 'unknown'],
  };
}

export function openaiErrors(classes: ReadonlyMap<string, Constructor>): ErrorTable {
  return {
    ...stainless(classes, 'OpenAIError'),
    OAuthError: [() => make(classes, 'OAuthError', 401, { error: 'invalid_grant' }, new Headers()), 'provider_error'],
    SubjectTokenProviderError: [
      () => make(classes, 'SubjectTokenProviderError', 'No token.', 'azure'),
      'provider_error',
    ],
    InvalidWebhookSignatureError: [() => make(classes, 'InvalidWebhookSignatureError', 'No.'), 'validation_error'],
    LengthFinishReasonError: [() => make(classes, 'LengthFinishReasonError'), 'validation_error'],
    ContentFilterFinishReasonError: [() => make(classes, 'ContentFilterFinishReasonError'), 'validation_error'],
  };
}

export function anthropicErrors(classes: ReadonlyMap<string, Constructor>): ErrorTable {
  const byStatus = (name: string, status: number, outcome: Outcome): ErrorTable[string] => [
    () => make(classes, name, status, { type: 'error', error: { message: 'No.' } }, undefined, new Headers()),
    outcome,
  ];
  const socket = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  return {
    ...stainless(classes, 'AnthropicError'),
    PaymentRequiredError: byStatus('PaymentRequiredError', 402, 'provider_error'),
    RequestTimeoutError: byStatus('RequestTimeoutError', 408, 'timeout'),
    PreconditionFailedError: byStatus('PreconditionFailedError', 412, 'validation_error'),
    ContentTooLargeError: byStatus('ContentTooLargeError', 413, 'validation_error'),
    RequestHeaderFieldsTooLargeError: byStatus('RequestHeaderFieldsTooLargeError', 431, 'validation_error'),
    ClientClosedRequestError: byStatus('ClientClosedRequestError', 499, 'provider_error'),
    NotImplementedError: byStatus('NotImplementedError', 501, 'provider_error'),
    ServiceUnavailableError: byStatus('ServiceUnavailableError', 503, 'provider_error'),
    GatewayTimeoutError: byStatus('GatewayTimeoutError', 504, 'timeout'),
    OverloadedError: byStatus('OverloadedError', 529, 'provider_error'),
    RetryableError: [() => make(classes, 'RetryableError', 'Again.', { cause: socket }), 'provider_error'],
  };
}

export function googleErrors(classes: ReadonlyMap<string, Constructor>): ErrorTable {
  const limited = () => make(classes, 'ApiError', { message: '{"error":{"code":429}}', status: 429 });
  return {
    ApiError: [limited, 'rate_limit'],
    ContinuationInterruptedError: [
      () => make(classes, 'ContinuationInterruptedError', { message: 'Interrupted.', cause: limited() }),
      'rate_limit',
    ],
  };
}

/** Each with the status that Bedrock sends it with, and without one, as inside of a stream. */
export function bedrockErrors(classes: ReadonlyMap<string, Constructor>, inStream: boolean): ErrorTable {
  const of = (name: string, status: number, outcome: Outcome): [string, ErrorTable[string]] => {
    const $metadata = inStream ? {} : { httpStatusCode: status };
    return [name, [() => make(classes, name, { name, message: 'No.', $fault: 'client', $metadata }), outcome]];
  };
  return Object.fromEntries([
    of('AccessDeniedException', 403, 'provider_error'),
    of('BedrockRuntimeServiceException', 500, 'provider_error'),
    of('ConflictException', 400, 'validation_error'),
    of('InternalServerException', 500, 'provider_error'),
    of('ModelErrorException', 424, 'provider_error'),
    of('ModelNotReadyException', 429, inStream ? 'provider_error' : 'rate_limit'),
    of('ModelStreamErrorException', 424, 'provider_error'),
    of('ModelTimeoutException', 408, 'timeout'),
    of('ResourceNotFoundException', 404, 'validation_error'),
    // By its status it would be the request's fault.
    of('ServiceQuotaExceededException', 400, 'rate_limit'),
    of('ServiceUnavailableException', 503, 'provider_error'),
    of('ThrottlingException', 429, 'rate_limit'),
    of('ValidationException', 400, 'validation_error'),
  ]);
}

export function cohereErrors(classes: ReadonlyMap<string, Constructor>): ErrorTable {
  const of = (name: string, outcome: Outcome): [string, ErrorTable[string]] => [
    name,
    [() => make(classes, name, { message: 'No.' }), outcome],
  ];
  const cause = new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } });
  return {
    ...Object.fromEntries([
      of('BadRequestError', 'validation_error'),
      of('ClientClosedRequestError', 'provider_error'),
      of('ForbiddenError', 'provider_error'),
      of('GatewayTimeoutError', 'timeout'),
      of('InternalServerError', 'provider_error'),
      // 498: a text with a token that is denied, not one of access.
      of('InvalidTokenError', 'validation_error'),
      of('NotFoundError', 'validation_error'),
      of('NotImplementedError', 'provider_error'),
      of('ServiceUnavailableError', 'provider_error'),
      of('TooManyRequestsError', 'rate_limit'),
      of('UnauthorizedError', 'provider_error'),
      of('UnprocessableEntityError', 'validation_error'),
    ]),
    CohereError: [() => make(classes, 'CohereError', { message: 'fetch failed', cause }), 'provider_error'],
    CohereTimeoutError: [
      () =>
        make(classes, 'CohereTimeoutError', 'Timeout exceeded.', { cause: new DOMException('aborted', 'AbortError') }),
      'timeout',
    ],
  };
}

export function mistralErrors(classes: ReadonlyMap<string, Constructor>, zodError: unknown): ErrorTable {
  const http = (status: number) => {
    const response = new Response('{}', { status });
    return { response, request: new Request('https://api.mistral.ai/v1/chat/completions'), body: '{}' };
  };
  const timeout = new DOMException('The operation timed out.', 'TimeoutError');
  return {
    HTTPClientError: [() => make(classes, 'HTTPClientError', 'Odd.'), 'unknown'],
    UnexpectedClientError: [
      () => make(classes, 'UnexpectedClientError', 'Unexpected HTTP client error', { cause: new TypeError('x') }),
      'internal_error',
    ],
    InvalidRequestError: [() => make(classes, 'InvalidRequestError', 'Unable to create request'), 'validation_error'],
    RequestAbortedError: [
      () => make(classes, 'RequestAbortedError', 'Request aborted by client', { cause: new Error('x') }),
      'aborted',
    ],
    RequestTimeoutError: [
      () => make(classes, 'RequestTimeoutError', 'Request timed out', { cause: timeout }),
      'timeout',
    ],
    ConnectionError: [() => make(classes, 'ConnectionError', 'Unable to make request'), 'provider_error'],
    MistralError: [() => make(classes, 'MistralError', 'No.', http(401)), 'provider_error'],
    SDKError: [() => make(classes, 'SDKError', 'No.', http(503)), 'provider_error'],
    HTTPValidationError: [() => make(classes, 'HTTPValidationError', { detail: [] }, http(422)), 'validation_error'],
    ObservabilityError: [() => make(classes, 'ObservabilityError', { detail: {} }, http(500)), 'provider_error'],
    ResponseValidationError: [
      () => make(classes, 'ResponseValidationError', 'Odd.', { ...http(200), cause: zodError, rawMessage: 'Odd.' }),
      'validation_error',
    ],
    SDKValidationError: [() => make(classes, 'SDKValidationError', 'Odd', zodError, {}), 'validation_error'],
  };
}

export function zodErrors(classes: ReadonlyMap<string, Constructor>): ErrorTable {
  return {
    ZodCompileAsyncError: [() => make(classes, 'ZodCompileAsyncError', 'x'), 'validation_error'],
    ZodCompileUnsupportedError: [() => make(classes, 'ZodCompileUnsupportedError', 'x'), 'validation_error'],
  };
}

export function aiErrors(classes: ReadonlyMap<string, Constructor>): ErrorTable {
  const call = (fields: object) =>
    make(classes, 'APICallError', { message: 'No.', url: 'https://x.dev', requestBodyValues: {}, ...fields });
  const parse = () => make(classes, 'JSONParseError', { text: '{', cause: new SyntaxError('Unexpected end') });
  const noTool = () => make(classes, 'NoSuchToolError', { toolName: 'x' });
  const of = (name: string, outcome: Outcome, fields: object = {}): [string, ErrorTable[string]] => [
    name,
    [() => make(classes, name, { message: 'No.', toolCallIds: [], responses: [], values: [], ...fields }), outcome],
  ];
  return {
    ...Object.fromEntries([
      of('AISDKError', 'unknown', { name: 'AI_SomeError' }),
      of('DownloadError', 'provider_error', { url: 'https://x.dev/a.png' }),
      of('EmptyResponseBodyError', 'provider_error'),
      of('Experimental_DecisionRefusalError', 'provider_error'),
      of('Experimental_DecisionUnsupportedQuestionTypeError', 'validation_error'),
      of('Experimental_ExtractionRefusalError', 'provider_error'),
      of('Experimental_ExtractionUnsupportedFieldTypeError', 'validation_error'),
      of('InvalidArgumentError', 'validation_error'),
      of('InvalidDataContentError', 'validation_error'),
      of('InvalidMessageRoleError', 'validation_error'),
      of('InvalidPromptError', 'validation_error'),
      of('InvalidResponseDataError', 'validation_error'),
      of('InvalidStreamPartError', 'validation_error'),
      of('InvalidToolApprovalError', 'validation_error'),
      of('InvalidToolApprovalSignatureError', 'validation_error'),
      of('InvalidToolInputError', 'validation_error'),
      // Nothing was asked of any vendor: the program lacks its configuration.
      of('LoadAPIKeyError', 'internal_error'),
      of('LoadSettingError', 'internal_error'),
      of('MessageConversionError', 'validation_error'),
      of('MissingToolResultsError', 'validation_error'),
      of('NoContentGeneratedError', 'provider_error'),
      of('NoImageGeneratedError', 'provider_error'),
      of('NoObjectGeneratedError', 'validation_error', { cause: parse() }),
      of('NoOutputGeneratedError', 'provider_error'),
      of('NoSpeechGeneratedError', 'provider_error'),
      of('NoSuchModelError', 'validation_error'),
      of('NoSuchProviderError', 'validation_error', { availableProviders: [] }),
      of('NoSuchProviderReferenceError', 'validation_error', { reference: {} }),
      of('NoSuchToolError', 'validation_error'),
      of('NoTranscriptGeneratedError', 'provider_error'),
      of('NoTranslationGeneratedError', 'provider_error'),
      of('NoVideoGeneratedError', 'provider_error'),
      of('StreamProviderError', 'provider_error'),
      of('TooManyEmbeddingValuesForCallError', 'validation_error'),
      of('ToolCallNotFoundForApprovalError', 'validation_error'),
      of('ToolCallRepairError', 'validation_error', { cause: new Error('x'), originalError: noTool() }),
      of('ToolChoiceViolationError', 'validation_error', { toolChoice: { type: 'required' }, content: [] }),
      of('TypeValidationError', 'validation_error', { value: 1, cause: new Error('x') }),
      of('UIMessageStreamError', 'validation_error'),
      of('UnsupportedFunctionalityError', 'validation_error'),
      of('UnsupportedModelVersionError', 'validation_error'),
    ]),
    APICallError: [() => call({ statusCode: 429 }), 'rate_limit'],
    JSONParseError: [parse, 'validation_error'],
    // What was tried last is what it failed of.
    RetryError: [
      () =>
        make(classes, 'RetryError', {
          message: 'Failed after 2 attempts.',
          reason: 'maxRetriesExceeded',
          errors: [call({ statusCode: 429 }), call({ statusCode: 529 })],
        }),
      'provider_error',
    ],
  };
}
