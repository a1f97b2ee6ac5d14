package io.quarry.agent.check;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.Extent;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.fix.Chains;
import io.quarry.agent.fix.WriteEstimate;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The space that merges free: the size of the files that become one, less the size with each byte
 * stored once. QEMU tells where the layers overlap, which takes a while. So a check knows the gain
 * of only as many merges as its time allows.
 */
final class MergeGain {
  static final long UNKNOWN = -1;

  private static final Logger LOG = LoggerFactory.getLogger(MergeGain.class);

  /** The time for all merges of one check. */
  private static final long TIME_NANOS = TimeUnit.SECONDS.toNanos(3);

  /** The span of one question to QEMU, so that a large image does not exceed its time by much. */
  private static final long SPAN_BYTES = 4L << 30;

  private final RepositoryStorage storage;
  private final RepositoryState state;
  private final Neighbours neighbours;
  private final long end = System.nanoTime() + TIME_NANOS;

  MergeGain(RepositoryStorage storage, RepositoryState state, Neighbours neighbours) {
    this.storage = storage;
    this.state = state;
    this.neighbours = neighbours;
  }

  /**
   * Bytes, or {@link #UNKNOWN}.
   *
   * @param merged the volume that the merge makes
   */
  long of(Volume merged) {
    Image image = state.images().get(merged.imageId());
    if (image == null || !state.isWhole(image)) {
      return UNKNOWN;
    }
    List<Volume> layers = WriteEstimate.layers(merged, image.id(), state);
    if (layers.size() < 2) {
      return 0;
    }
    try {
      long now = WriteEstimate.allocated(layers, storage);
      long then = unionOf(image, layers.size());
      return then == UNKNOWN ? UNKNOWN : Math.max(0, now - then);
    } catch (IOException e) {
      // The image may have been merged, opened or removed meanwhile. The gain only informs
      // operators.
      LOG.debug("What the merge of {} frees cannot be told: {}", image.id(), e.toString());
      return UNKNOWN;
    }
  }

  private long unionOf(Image image, int layers) throws IOException {
    Chain chain = new Chains(neighbours::byKey).of(storage, state, image);
    long bytes = 0;
    try (ChainSource source =
        ChainSource.open(
            neighbours.children("check:" + image.id()),
            neighbours.runtimeDirectory(),
            chain,
            image.size())) {
      for (long at = 0; at < image.size(); at += SPAN_BYTES) {
        if (end - System.nanoTime() < 0) {
          return UNKNOWN;
        }
        long length = Math.min(SPAN_BYTES, image.size() - at);
        for (Extent extent : source.extentsAbove(layers, at, length)) {
          bytes += extent.kind() == Extent.Kind.DATA ? extent.length() : 0;
        }
      }
    }
    return bytes;
  }
}
