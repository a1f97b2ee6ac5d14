package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The four kinds of work that bring a repository closer to its best state. */
public enum FixType {
  /** Mends a broken image. */
  @JsonProperty("mend")
  MEND("mend", 10),
  /** Brings a degraded image into its best representation. */
  @JsonProperty("optimize")
  OPTIMIZE("optimize", 30),
  /** Merges a hidden image into its only dependant. */
  @JsonProperty("merge")
  MERGE("merge", 40),
  /** Frees space that no image needs. */
  @JsonProperty("clean")
  CLEAN("clean", 20);

  private final String label;
  private final int priority;

  FixType(String label, int priority) {
    this.label = label;
    this.priority = priority;
  }

  /** The word used in JSON, tables and messages. */
  public String label() {
    return label;
  }

  /** Lower runs first: users wait for mends, and freed space helps all other fixes. */
  public int priority() {
    return priority;
  }
}
