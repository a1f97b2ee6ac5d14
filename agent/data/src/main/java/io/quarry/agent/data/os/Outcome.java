package io.quarry.agent.data.os;

/**
 * What became of an optional filesystem service. Absence is an answer and not an error: the caller
 * falls back to plain reading and writing.
 */
public enum Outcome {
  DONE,
  NOT_SUPPORTED
}
