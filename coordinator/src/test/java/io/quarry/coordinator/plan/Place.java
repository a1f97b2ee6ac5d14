package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One repository of a story: what its log says, what is on its storage, and what should be in its
 * images. A volume file is a list of writes, so that an image is what its chain of files says from
 * the bottom up. Whoever has opened a file keeps it when its name is removed.
 */
final class Place implements RandomRequests.View {
  /** Ends a file that is not finished. */
  static final String UNFINISHED = "...";

  /** Where guests write. */
  private static final int SPOTS = 5;

  /**
   * The newest checkpoint of a fix.
   *
   * @param copied what was durable in the file
   */
  record Saved(long epoch, String file, List<String> copied) {}

  final String key;
  final Map<String, List<String>> files = new HashMap<>();

  /** Of heavy fixes by id: who claimed the epochs from 1 on. */
  final Map<String, List<String>> claims = new HashMap<>();

  final Map<String, Saved> checkpoints = new HashMap<>();
  final Contents contents = new Contents();
  private final Set<String> volumesEver = new HashSet<>();
  private RepositoryState state = RepositoryState.EMPTY;

  Place(String key) {
    this.key = key;
  }

  @Override
  public String key() {
    return key;
  }

  @Override
  public RepositoryState state() {
    return state;
  }

  /**
   * Plans a request, and commits it if it is not refused.
   *
   * @param source what the image to be copied holds, if it is a copy
   * @return the changes, or null when it was refused
   */
  @Nullable List<Change> plan(
      Request request, long commit, Instant now, @Nullable List<String> source) {
    Transaction transaction = new Transaction(state, commit, now);
    try {
      request.plan(transaction);
    } catch (StorageException e) {
      return null;
    }
    RepositoryState before = state;
    state = transaction.state();
    List<Change> changes = transaction.changes();
    checkVolumesAreNew(changes, before);
    StateInvariants.check(state);
    contents.follow(request, before, state, source);
    return changes;
  }

  private void checkVolumesAreNew(List<Change> changes, RepositoryState before) {
    for (Change change : changes) {
      if (change instanceof Change.PutVolume put
          && put.volume().stage() == Volume.Stage.INTENDED
          && !before.volumes().containsKey(put.volume().id())) {
        assertThat(volumesEver.add(put.volume().id())).as("%s is new", put).isTrue();
      }
    }
  }

  /** Images and opens have the content that they should, byte for byte. */
  void check(World world) {
    for (Image image : state.images().values()) {
      if (state.isWhole(image)) {
        BackingChain layers = state.layersOf(image);
        List<String> expected = contents.of(image.id());
        if (expected != null || image.visible()) {
          assertThat(shown(read(layers.volumeIds(), layers.elsewhere(), world)))
              .as("content of %s", image)
              .isEqualTo(shown(requireNonNull(expected)));
        }
      }
    }
    for (Open open : state.opens().values()) {
      if (open.fills() == null) {
        assertThat(shown(read(open.volumes(), open.baseSource(), world)))
            .as("content of %s", open)
            .isEqualTo(shown(requireNonNull(contents.of(open.imageId()))));
      }
    }
  }

  /**
   * What a list of writes comes to: a later one takes the place of an earlier one at the same spot.
   * Whatever is no write of a guest has a spot of its own.
   */
  static Map<String, String> shown(List<String> writes) {
    Map<String, String> shown = new TreeMap<>();
    for (String write : writes) {
      boolean guests = write.matches("w\\d+");
      shown.put(guests ? "spot " + Integer.parseInt(write.substring(1)) % SPOTS : write, write);
    }
    return shown;
  }

  /** What those volumes hold, the top first, and below them those of another repository. */
  private List<String> read(List<String> volumeIds, @Nullable CopySource elsewhere, World world) {
    List<String> content = new ArrayList<>();
    if (elsewhere != null) {
      List<List<String>> base = world.filesOf(elsewhere);
      requireNonNull(base, () -> elsewhere + " is pinned").forEach(content::addAll);
    }
    for (String id : volumeIds.reversed()) {
      content.addAll(fileOf(id));
    }
    return content;
  }

  /** The published file of a volume. */
  List<String> fileOf(String volumeId) {
    Volume volume = requireNonNull(state.volumes().get(volumeId), "volume " + volumeId);
    String name = requireNonNull(volume.file(), () -> volume + " has a file");
    return requireNonNull(files.get(name), () -> "file " + name + " exists");
  }

  /** Everything that is not the published file of a volume. */
  List<String> orphans() {
    return files.keySet().stream()
        .filter(name ->
            state.volumes().values().stream().noneMatch(volume -> name.equals(volume.file())))
        .sorted()
        .toList();
  }

  void removeFiles(Volume volume, long epochs, @Nullable String except) {
    for (long epoch = 1; epoch <= epochs; epoch++) {
      String file = volume.fileOfEpoch(epoch);
      if (!file.equals(except)) {
        files.remove(file);
      }
    }
  }

  void forget(String fixId) {
    claims.remove(fixId);
    checkpoints.remove(fixId);
  }
}
