package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/** Neighbouring extents of a device. In the log: {@code [first, count]}. */
@JsonFormat(shape = JsonFormat.Shape.ARRAY)
@JsonPropertyOrder({"first", "count"})
public record Run(long first, long count) {
  public Run {
    if (first < 0 || count < 1 || first + count < 0) {
      throw new IllegalArgumentException("no extents: " + count + " from " + first + " on");
    }
  }

  /** The extent behind the last one. */
  long end() {
    return first + count;
  }

  /** The first extents of the run. */
  Run start(long length) {
    return new Run(first, length);
  }
}
