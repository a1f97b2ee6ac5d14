package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How well an image is represented. It is recorded in the repository's log, never inferred from
 * files: a half-written copy passes every format check.
 */
public enum ImageState {
  /** Usable, in the best representation its strategy asks for. */
  @JsonProperty("optimized")
  OPTIMIZED("optimized"),
  /** Usable, a better representation exists. */
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
