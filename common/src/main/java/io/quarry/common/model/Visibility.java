package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which images a listing shows. */
public enum Visibility {
  /** Those that callers can use. */
  @JsonProperty("visible")
  VISIBLE("visible"),
  /** Those that were removed, and can still be restored. */
  @JsonProperty("removed")
  REMOVED("removed"),
  /** Also what is kept for internal needs alone. */
  @JsonProperty("all")
  ALL("all");

  private final String label;

  Visibility(String label) {
    this.label = label;
  }

  /** The word used in JSON and queries. */
  public String label() {
    return label;
  }
}
