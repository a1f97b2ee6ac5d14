package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which way to prefer where an operation has two. */
public enum Strategy {
  @JsonProperty("space")
  SPACE,
  @JsonProperty("performance")
  PERFORMANCE
}
