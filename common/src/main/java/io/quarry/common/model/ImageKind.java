package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The two kinds of images: a mutable VirtualDisk or an immutable Snapshot. There are no templates.
 */
public enum ImageKind {
  @JsonProperty("VirtualDisk")
  VIRTUAL_DISK("VirtualDisk"),
  @JsonProperty("Snapshot")
  SNAPSHOT("Snapshot");

  private final String label;

  ImageKind(String label) {
    this.label = label;
  }

  /** The word used in JSON, tables and messages. */
  public String label() {
    return label;
  }
}
