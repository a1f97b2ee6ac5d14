package io.quarry.agent.demo;

import java.time.Duration;
import java.util.List;

/**
 * What the demo saw. It exists only if everything was right.
 *
 * @param imageBytes the size of the disk
 * @param dataBytes what of it is data, about
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

  /** Something that happened, and when since the demo began. */
  public record Moment(Duration at, String text) {}
}
