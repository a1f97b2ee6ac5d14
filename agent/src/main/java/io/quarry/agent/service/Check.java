package io.quarry.agent.service;

import io.quarry.agent.data.os.DiskUsage;
import io.quarry.agent.fix.StrayFiles;
import io.quarry.agent.fix.VolumeName;
import io.quarry.agent.format.Genesis;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.Fix;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Goes over a repository and says what could be done for it. It takes no lock: the files are listed
 * first and judged by a state that is newer than the listing.
 */
final class Check {
  /** Whether somebody is at it right now is the queue's to say. */
  private static final boolean SEEN_RUNNING = false;

  private final ConnectedRepository repository;
  private final Genesis genesis;

  Check(ConnectedRepository repository) {
    this.repository = repository;
    this.genesis = repository.storage().genesis();
  }

  CheckReport run() throws IOException {
    Set<String> files = files();
    LogState state = repository.replica().refresh();
    List<Fix> found = new ArrayList<>();
    Instant now = Instant.now();
    for (FixState fix : state.repository().fixes().values()) {
      boolean retained = fix.retained() && fix.retryAt() != null && fix.retryAt().isAfter(now);
      if (fix.file() == null && !retained) {
        found.add(describe(fix, state.repository()));
      }
    }
    for (String file : files) {
      if (StrayFiles.isStray(file, state.repository())) {
        found.add(stray(file, allocated(file), state.repository()));
      }
    }
    found.sort(Comparator.comparingInt(Fix::priority).thenComparing(Fix::reason));
    return new CheckReport(found, state.sequence());
  }

  private Set<String> files() throws IOException {
    Set<String> files = new HashSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(repository.storage().volumes())) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (VolumeName.parse(name) != null) {
          files.add(name);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return files;
  }

  private long allocated(String file) throws IOException {
    return DiskUsage.allocated(repository.storage().volume(file));
  }

  private Fix describe(FixState fix, RepositoryState state) throws IOException {
    Volume volume = state.volumes().get(String.valueOf(fix.volumeId()));
    long gain = 0;
    if (fix.type() == FixType.CLEAN && volume != null && volume.file() != null) {
      gain = allocated(volume.file());
    }
    long move = volume != null && fix.type() != FixType.CLEAN && volume.heavy() ? volume.size() : 0;
    if (fix.type() == FixType.MERGE && volume != null) {
      move = mergedBytes(volume, state);
    }
    return FixData.sign(
        new Fix(
            fix.type(),
            fix.imageId(),
            reason(fix, volume, state),
            move,
            gain,
            fix.type().priority(),
            Listings.stateOf(fix, SEEN_RUNNING),
            fix.lastError(),
            ""),
        fix.id(),
        null,
        genesis);
  }

  /** What is in the files that become one. */
  private long mergedBytes(Volume volume, RepositoryState state) throws IOException {
    long bytes = 0;
    Image image = state.images().get(volume.imageId());
    for (Image layer : image == null ? List.<Image>of() : state.chainOf(image)) {
      if (layer.id().equals(volume.parentImageId())) {
        break;
      }
      String file = state.volumeOf(layer).file();
      bytes += file == null ? 0 : allocated(file);
    }
    return bytes;
  }

  private static String reason(FixState fix, @Nullable Volume volume, RepositoryState state) {
    if (fix.type() == FixType.CLEAN) {
      return volume != null && volume.stage() == Volume.Stage.TOMBSTONED
          ? "its image is gone, its files are being removed"
          : "the image was removed and nothing depends on it";
    }
    Image image = state.images().get(String.valueOf(fix.imageId()));
    if (fix.type() == FixType.MERGE && image != null) {
      List<Image> folded = state.foldedFrom(image);
      return folded.isEmpty()
          ? "what was removed below it is no longer kept for it alone"
          : "image "
              + folded.getFirst().id()
              + (folded.size() == 1 ? "" : " and " + (folded.size() - 1) + " more")
              + " below it, removed, kept for it alone";
    }
    String why = image == null ? null : state.reasonOf(image);
    return why == null ? "the image can be represented better" : why;
  }

  private Fix stray(String file, long bytes, RepositoryState state) {
    FixState queued = state.fixes().get(FixState.strayId(file));
    return FixData.sign(
        new Fix(
            FixType.CLEAN,
            null,
            "file " + file + " belongs to no volume",
            0,
            bytes,
            FixType.CLEAN.priority(),
            queued == null ? "waiting" : Listings.stateOf(queued, SEEN_RUNNING),
            queued == null ? null : queued.lastError(),
            ""),
        FixState.strayId(file),
        file,
        genesis);
  }
}
