package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.Json;
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
 * One repository of a story: its log's state, the files on its storage, and the expected content of
 * its images. A volume file is a list of writes. An image's content is its chain of files, applied
 * from the bottom up. A reader with an open file keeps it when the file's name is removed.
 */
final class Place implements RandomRequests.View {
  /** Marks the end of an unfinished file. */
  static final String UNFINISHED = "...";

  /** Spots in an image that guests write to. */
  private static final int SPOTS = 5;

  /**
   * A checkpoint of a fix.
   *
   * @param copied the durable writes in the file
   */
  record Saved(long epoch, String file, List<String> copied) {
    String text() {
      try {
        return Json.MAPPER.writeValueAsString(this);
      } catch (JsonProcessingException e) {
        throw new AssertionError(e);
      }
    }
  }

  final String key;
  final Map<String, List<String>> files = new HashMap<>();

  final Contents contents = new Contents();
  private final Set<String> volumesEver = new HashSet<>();
  private RepositoryState state =
      RepositoryState.EMPTY
          .apply(new Change.PutFeature(Feature.EXTENTS))
          .apply(new Change.PutPool(new Pool(RandomRequests.EXTENT_BYTES, 30)));

  /** One of the two places has thin volumes, so stories meet both layouts. */
  Place(String key) {
    this.key = key;
    if (key.equals("there")) {
      state = state.apply(new Change.PutFeature(Feature.THIN_VOLUMES));
    }
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
   * @param source the content of the image to be copied, if the request is a copy
   * @return the changes, or null when the request was refused
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
    assertThat(Invariants.hold(before, changes, state)).isTrue();
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

  /** Checks that images and opens have the expected content, byte for byte. */
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
   * The visible writes of a list: a later write replaces an earlier one at the same spot. An entry
   * that is no guest's write has a spot of its own.
   */
  static Map<String, String> shown(List<String> writes) {
    Map<String, String> shown = new TreeMap<>();
    for (String write : writes) {
      boolean guests = write.matches("w\\d+");
      shown.put(guests ? "spot " + Integer.parseInt(write.substring(1)) % SPOTS : write, write);
    }
    return shown;
  }

  /** The content of those volumes, the top first, and below them the other repository's. */
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

  /** The files that are not the published file of a volume. */
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

  /** The highest epoch that a worker has claimed; 0 when there is none. */
  long claimed(String fixId) {
    Epoch newest = state.work().epochs().newest(fixId);
    return newest == null ? 0 : newest.epoch();
  }

  /** The newest checkpoint of a fix, or null. */
  @Nullable Saved saved(String fixId) {
    Epoch newest = state.work().epochs().newestWithCheckpoint(fixId);
    try {
      return newest == null ? null : Json.MAPPER.readValue(newest.checkpoint(), Saved.class);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }
}
