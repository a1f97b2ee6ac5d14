package io.quarry.agent.check;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the data of a repository in parts of some seconds; the caller asks for each next part. So
 * no agent remembers a deep check, and any agent can continue one. When the caller is gone, the
 * reading ends.
 */
final class DeepCheck {
  /** The time for the data of one part; a look at one volume's metadata may come on top. */
  private static final long PART_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final ConnectedRepository repository;
  private final Neighbours neighbours;

  DeepCheck(ConnectedRepository repository, Neighbours neighbours) {
    this.repository = repository;
    this.neighbours = neighbours;
  }

  /** Volumes are read in the order of their ids, each from its beginning. */
  record Place(String volumeId, long offset) {
    static final Place START = new Place("", 0);

    private static final Pattern TEXT = Pattern.compile("([0-9A-Za-z-]{1,128}):(\\d{1,18})");

    static Place parse(String text) {
      Matcher parts = TEXT.matcher(text);
      if (!parts.matches()) {
        throw StorageException.invalid(
            "after", "a deep check cannot go on after " + text, "give what it gave as next");
      }
      return new Place(parts.group(1), Long.parseLong(parts.group(2)));
    }

    @Override
    public String toString() {
      return volumeId + ":" + offset;
    }
  }

  CheckReport from(Place start) throws IOException, InterruptedException {
    long end = System.nanoTime() + PART_NANOS;
    LogState state = repository.replica().refresh();
    List<Volume> volumes =
        state.repository().volumes().values().stream()
            .filter(volume -> volume.stage() == Volume.Stage.READY)
            .sorted(Comparator.comparing(Volume::id))
            .toList();
    long total = 0;
    long done = 0;
    List<Problem> problems = new ArrayList<>();
    @Nullable Place next = null;
    for (Volume volume : volumes) {
      long bytes = repository.storage().volumes().allocated(String.valueOf(volume.file()));
      total += bytes;
      int order = volume.id().compareTo(start.volumeId());
      if (order < 0) {
        done += bytes;
      } else if (next == null) {
        long offset = order == 0 ? start.offset() : 0;
        VolumeReading reading = new VolumeReading(repository, neighbours, volume, problems);
        VolumeReading.Reached reached = reading.from(offset, end);
        next = reached.end() ? null : new Place(volume.id(), reached.offset());
        done += next == null ? bytes : Math.round((double) bytes * reached.offset() / reached.of());
      }
    }
    return CheckReport.of(
        List.of(),
        problems,
        new CheckReport.Reading(done, total, next == null ? null : next.toString()),
        state.sequence());
  }
}
