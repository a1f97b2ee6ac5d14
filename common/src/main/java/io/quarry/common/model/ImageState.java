package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How well an image is represented. The repository's log records the state. Nothing infers it from
 * files: a half-written copy passes every format check.
 */
public enum ImageState {
  /** Usable, in the best representation for its strategy. */
  @JsonProperty("optimized")
  OPTIMIZED("optimized"),
  /** Usable, but a better representation exists. */
  @JsonProperty("degraded")
  DEGRADED("degraded"),
  /** Not usable now. */
  @JsonProperty("broken")
  BROKEN("broken");

  private final String label;

  ImageState(String label) {
    this.label = label;
  }

  /** The word used in JSON, tables and messages. */
  public String label() {
    return label;
  }
}
