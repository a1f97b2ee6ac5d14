package io.quarry.common.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The two formats of a volume: full copies are raw, overlays and differences qcow2. */
public enum VolumeFormat {
  @JsonProperty("raw")
  RAW("raw"),
  @JsonProperty("qcow2")
  QCOW2("qcow2");

  private final String label;

  VolumeFormat(String label) {
    this.label = label;
  }

  /** The format with that label. */
  public static VolumeFormat of(String label) {
    for (VolumeFormat format : values()) {
      if (format.label.equals(label)) {
        return format;
      }
    }
    throw new IllegalArgumentException("no volume format " + label);
  }

  /** QEMU's name of the format; also the suffix of volume files. */
  public String label() {
    return label;
  }
}
