package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which images a listing shows. */
public enum Visibility {
  /** Images that callers can use. */
  @JsonProperty("visible")
  VISIBLE("visible"),
  /** Removed images that can still be restored. */
  @JsonProperty("removed")
  REMOVED("removed"),
  /** All images, including those kept for internal needs alone. */
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
