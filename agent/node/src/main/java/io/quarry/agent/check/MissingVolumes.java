package io.quarry.agent.check;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.Problem;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds volumes that are whole by the log, but whose files are missing or too short: another
 * program removed or cut them. The check does not mark the image broken. Files never decide that,
 * since a late mount would look the same.
 */
final class MissingVolumes {
  /** The shortest header of a qcow2 file. */
  private static final long QCOW2_BYTES_MIN = 72;

  private final ConnectedRepository repository;
  private final Neighbours neighbours;

  MissingVolumes(ConnectedRepository repository, Neighbours neighbours) {
    this.repository = repository;
    this.neighbours = neighbours;
  }

  void find(RepositoryState state, List<Problem> found) throws IOException {
    List<Volume> suspects = new ArrayList<>();
    for (Volume volume : state.volumes().values()) {
      if (whatIsWrong(volume) != null) {
        suspects.add(volume);
      }
    }
    if (suspects.isEmpty()) {
      return;
    }
    // A clean may have removed the volume between the state and the look at its file.
    RepositoryState newer = repository.replica().refresh().repository();
    for (Volume suspect : suspects) {
      Volume now = newer.volumes().get(suspect.id());
      String wrong = now == null ? null : whatIsWrong(now);
      if (now != null && wrong != null) {
        found.add(problem(now, wrong, newer));
      }
    }
  }

  private @Nullable String whatIsWrong(Volume volume) throws IOException {
    if (volume.stage() != Volume.Stage.READY || volume.file() == null) {
      return null;
    }
    try {
      long length = repository.storage().volumes().length(volume.file());
      long least = volume.format() == VolumeFormat.RAW ? volume.size() : QCOW2_BYTES_MIN;
      return length >= least
          ? null
          : "file " + volume.file() + " has " + length + " bytes of at least " + least;
    } catch (FileFailure.NotFound e) {
      return "file " + volume.file() + " is not there";
    } catch (FileFailure.Forbidden e) {
      // A check of another kind reports that failure.
      return null;
    } catch (FileFailure e) {
      if (e.kind() != FileFailure.Kind.REFUSED) {
        throw e;
      }
      return "what is called " + volume.file() + " is no regular file";
    }
  }

  private Problem problem(Volume volume, String wrong, RepositoryState state) {
    Set<String> others = over(volume.imageId(), state);
    Image image = state.images().get(volume.imageId());
    return new Problem(
        Problem.Kind.MISSING_VOLUME,
        volume.imageId(),
        String.valueOf(volume.file()),
        "the log says that it is whole, but "
            + wrong
            + (others.isEmpty() ? "" : "; over it: " + others.size() + " visible images"),
        remedy(volume, image, others.isEmpty()));
  }

  private String remedy(Volume volume, @Nullable Image image, boolean alone) {
    String restore = "bring " + volume.file() + " back from a backup of the storage, byte for byte";
    if (image == null || !alone) {
      return restore;
    }
    Optional<String> elsewhere =
        image.kind() == ImageKind.SNAPSHOT ? holderOf(image) : Optional.empty();
    return elsewhere
        .map(repoId -> "remove it here and copy it again from repository " + repoId)
        .orElse(restore + ", or remove the image");
  }

  /** The visible images that cannot be read without this image. */
  private static Set<String> over(String imageId, RepositoryState state) {
    Set<String> over = new TreeSet<>();
    Set<String> seen = new TreeSet<>();
    Deque<String> open = new ArrayDeque<>(List.of(imageId));
    while (!open.isEmpty()) {
      for (String overlay : state.overlaysOf(open.pop())) {
        Volume volume = state.volumes().get(overlay);
        Image image = volume == null ? null : state.images().get(volume.imageId());
        if (image != null && seen.add(image.id())) {
          open.push(image.id());
          if (image.visible()) {
            over.add(image.id());
          }
        }
      }
    }
    return over;
  }

  /** Another repository on this host that has the same snapshot, whole by its log. */
  private Optional<String> holderOf(Image snapshot) {
    return neighbours.repositories().stream()
        .filter(other -> !other.key().equals(repository.key()))
        .filter(other -> {
          RepositoryState there = other.state().repository();
          Image same = there.visibleImage(snapshot.id());
          return same != null && there.isWhole(same);
        })
        .map(ConnectedRepository::repoId)
        .findFirst();
  }
}
