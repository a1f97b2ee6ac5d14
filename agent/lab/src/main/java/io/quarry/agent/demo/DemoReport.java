package io.quarry.agent.demo;

import java.time.Duration;
import java.util.List;

/**
 * The observations of a demo in which every comparison held.
 *
 * @param imageBytes the size of the disk
 * @param dataBytes about how much of the disk is data
 * @param imagesCompared each with its source, by qemu-img and by SHA-256
 * @param bytesCopiedTwice because of all kills together
 * @param commits how many commits were measured
 */
public record DemoReport(
    List<Moment> timeline,
    List<Takeover> takeovers,
    SdmFailover sdmFailover,
    long imageBytes,
    long dataBytes,
    int imagesCompared,
    long bytesCopiedTwice,
    int commits,
    Duration commitP50,
    Duration commitP99,
    Duration total) {
  public DemoReport {
    timeline = List.copyOf(timeline);
    takeovers = List.copyOf(takeovers);
  }

  /** An event, and when it happened since the demo began. */
  public record Moment(Duration at, String text) {}
}
