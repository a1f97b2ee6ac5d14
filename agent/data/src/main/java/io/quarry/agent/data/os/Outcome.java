package io.quarry.agent.data.os;

/**
 * The outcome of an optional filesystem service. A missing service is no error: the caller falls
 * back to plain reading and writing.
 */
public enum Outcome {
  DONE,
  NOT_SUPPORTED
}
