package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;

import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A worker at one epoch of one fix, stage by stage as the agent's fixes run. Between any two stages
 * other steps may happen, and the worker may crash there. The worker relies on the state at its
 * beginning, and believes in its epoch to the end.
 */
final class SteppedWork {
  /** The stages of a copy, the longest fix. */
  static final int STAGES_MAX = 6;

  private final World world;
  private final Place place;
  private final FixState fix;
  private final long epoch;
  private final RepositoryState seen;
  private final Deque<BooleanSupplier> stages = new ArrayDeque<>();
  private final Worker self;
  private @Nullable String base;
  private @Nullable Place holder;
  private List<List<String>> layers = List.of();
  private String file = "";
  private List<String> target = List.of();
  private List<String> copied = List.of();

  SteppedWork(World world, Place place, FixState fix, long epoch, String worker) {
    this.self = new Worker(worker, worker);
    this.world = world;
    this.place = place;
    this.fix = fix;
    this.epoch = epoch;
    this.seen = place.state();
    Volume volume = fix.volumeId() == null ? null : seen.volumes().get(fix.volumeId());
    if (volume == null) {
      stages.addAll(List.of(this::removeOrphan, this::finishStray));
    } else if (fix.type() == FixType.CLEAN) {
      stages.addAll(
          List.of(
              () -> world.ask(place, new TombstoneVolume(fix.id(), volume.id())),
              this::removeFiles,
              this::unpin,
              () -> world.ask(place, new PurgeVolume(fix.id(), volume.id()))));
    } else if (volume.stage() == Volume.Stage.INTENDED) {
      Volume base = seen.mergeBase(volume, world.now());
      if (base != null && goesInPlace(base)) {
        stages.addAll(
            List.of(
                () -> beginInPlace(volume, base),
                () -> writeDownHalf(base),
                this::writeDownRest,
                () -> finishInPlace(volume)));
        return;
      }
      if (volume.heavy()) {
        stages.addAll(List.of(() -> openSource(volume), () -> copyHalf(volume), this::copyRest));
      } else {
        stages.add(() -> makeEmpty(volume));
      }
      stages.addAll(List.of(() -> publish(volume), () -> removeOthers(volume), this::unpin));
    }
  }

  /**
   * Does the next stage. Returns false when there is none, and when the stage found its work
   * useless.
   */
  boolean goOn() {
    BooleanSupplier stage = stages.poll();
    boolean useful = stage != null && stage.getAsBoolean();
    if (!useful) {
      stages.clear();
      if (base != null) {
        world.ask(place, new LeaveMergeInPlace(base, writer()));
        base = null;
      }
    }
    return useful;
  }

  /**
   * A merge makes a new volume unless the previous writer is proven over. Some workers try in place
   * without that proof, as workers do that have not heard of the writer yet.
   */
  private boolean goesInPlace(Volume below) {
    boolean tries = (fix.id() + epoch).hashCode() % 2 == 0;
    return tries || (below.writer() != null && over(below) != null);
  }

  private Volume.@Nullable Writer over(Volume below) {
    Volume.Writer writer = below.writer();
    return writer != null && world.isOver(writer.worker().incarnation()) ? writer : null;
  }

  private Volume.Writer writer() {
    return new Volume.Writer(fix.id(), self, epoch);
  }

  private boolean beginInPlace(Volume volume, Volume below) {
    var begin = new BeginMergeInPlace(volume.id(), below.id(), writer(), over(below));
    if (!world.ask(place, begin)) {
      return false;
    }
    base = below.id();
    RepositoryState now = place.state();
    List<List<String>> upper = new ArrayList<>();
    for (Image image : now.chainOf(requireNonNull(now.images().get(volume.imageId())))) {
      if (image.volumeId().equals(base)) {
        break;
      }
      upper.addFirst(place.fileOf(image.volumeId()));
    }
    layers = upper;
    return true;
  }

  /** The half that an earlier worker has durably written need not be written again. */
  private boolean writeDownHalf(Volume below) {
    file = requireNonNull(below.file());
    target = requireNonNull(place.files.getOrDefault(file, new ArrayList<>()));
    copied = List.copyOf(Place.shown(sourceNow()).values());
    Place.Saved earlier = place.saved(fix.id());
    if (earlier == null || !earlier.file().equals(file)) {
      target.addAll(copied.subList(0, copied.size() / 2));
    }
    return save();
  }

  /** False when the claim is gone: the fix is done. */
  private boolean save() {
    String checkpoint = new Place.Saved(epoch, file, copied).text();
    return world.ask(place, new SaveCheckpoint(fix.id(), epoch, self, checkpoint));
  }

  private boolean writeDownRest() {
    target.addAll(copied.subList(copied.size() / 2, copied.size()));
    return true;
  }

  private boolean finishInPlace(Volume volume) {
    boolean finished = world.ask(place, new FinishMergeInPlace(volume.id(), writer()));
    if (finished) {
      base = null;
    }
    return finished;
  }

  FixState fix() {
    return fix;
  }

  Place place() {
    return place;
  }

  private boolean makeEmpty(Volume volume) {
    if (volume.parentImageId() != null && volume.baseSource() == null) {
      Image parent = seen.images().get(volume.parentImageId());
      if (parent == null || seen.volumeOf(parent).file() == null) {
        return false;
      }
    }
    file = volume.fileOfEpoch(epoch);
    place.files.put(file, new ArrayList<>());
    return true;
  }

  /** Opens the files, which stay readable even when their names are removed. */
  private boolean openSource(Volume volume) {
    boolean copy = volume.source() != null;
    holder = copy ? world.placeOf(requireNonNull(volume.source()).repositoryKey()) : place;
    RepositoryState there = copy && holder != null ? holder.state() : seen;
    Image source =
        there.images().get(copy ? requireNonNull(volume.source()).imageId() : volume.imageId());
    if (holder == null || source == null || !there.isWhole(source)) {
      return false;
    }
    BackingChain all = there.layersOf(source);
    List<Image> chain = all.here();
    if (volume.parentImageId() != null) {
      List<String> below =
          chain.stream().map(image -> there.volumeOf(image).parentImageId()).toList();
      int count = 1 + below.indexOf(volume.parentImageId());
      if (count == 0) {
        return compare(there, source, there.images().get(volume.parentImageId()));
      }
      chain = chain.subList(0, count);
    }
    List<List<String>> opened = new ArrayList<>();
    if (volume.parentImageId() == null && all.elsewhere() != null) {
      List<List<String>> base = world.filesOf(all.elsewhere());
      if (base == null) {
        return false;
      }
      opened.addAll(base);
    }
    for (Image image : chain.reversed()) {
      List<String> layer = holder.files.get(String.valueOf(there.volumeOf(image).file()));
      if (layer == null) {
        return false;
      }
      opened.add(layer);
    }
    layers = opened;
    return true;
  }

  /** The image is no overlay of its base any more: the blocks that differ are copied. */
  private boolean compare(RepositoryState there, Image source, @Nullable Image below) {
    List<String> all = content(there, source);
    List<String> known = below == null ? null : content(there, below);
    if (all == null || known == null || !there.isWhole(requireNonNull(below))) {
      return false;
    }
    List<String> different = new ArrayList<>(Place.shown(all).values());
    different.removeAll(Place.shown(known).values());
    layers = List.of(different);
    return true;
  }

  private @Nullable List<String> content(RepositoryState there, Image image) {
    BackingChain all = there.layersOf(image);
    List<String> content = new ArrayList<>();
    if (all.elsewhere() != null) {
      List<List<String>> beyond = world.filesOf(all.elsewhere());
      if (beyond == null) {
        return null;
      }
      beyond.forEach(content::addAll);
    }
    for (Image each : all.here().reversed()) {
      String name = there.volumeOf(each).file();
      List<String> layer = requireNonNull(holder).files.get(String.valueOf(name));
      if (layer == null) {
        return null;
      }
      content.addAll(layer);
    }
    return content;
  }

  private List<String> sourceNow() {
    return layers.stream().flatMap(List::stream).toList();
  }

  /**
   * Continues from the newest checkpoint, in its file if no other worker will ever write there. A
   * worker that slept after its claim may find a checkpoint of a later epoch, and leaves it alone.
   */
  private boolean copyHalf(Volume volume) {
    Place.Saved earlier = place.saved(fix.id());
    boolean goesOn =
        earlier != null
            && earlier.epoch() < epoch
            && earlier.file().startsWith(volume.id() + ".")
            && place.files.containsKey(earlier.file());
    copied = goesOn ? requireNonNull(earlier).copied() : sourceNow();
    if (goesOn && world.allOver(place, fix.id(), requireNonNull(earlier).epoch(), epoch)) {
      file = requireNonNull(earlier).file();
      target = requireNonNull(place.files.get(file));
    } else {
      file = volume.fileOfEpoch(epoch);
      target = new ArrayList<>(copied);
      target.add(Place.UNFINISHED);
      place.files.put(file, target);
    }
    return save();
  }

  private boolean copyRest() {
    target.remove(Place.UNFINISHED);
    if (!Place.shown(sourceNow()).equals(Place.shown(copied))) {
      target.add("torn, since it was " + copied + " first");
    }
    return true;
  }

  private boolean publish(Volume volume) {
    Request finish =
        volume.replaces() == null
            ? new FinishMend(fix.id(), volume.id(), epoch, file)
            : new FinishReplacement(fix.id(), volume.id(), epoch, file);
    if (world.ask(place, finish)) {
      return true;
    }
    Volume now = place.state().volumes().get(volume.id());
    if (now == null || !file.equals(now.file())) {
      place.files.remove(file);
    }
    return false;
  }

  private boolean removeOthers(Volume volume) {
    place.removeFiles(volume, epoch, file);
    return world.ask(place, new ForgetWork(fix.id()));
  }

  private boolean removeFiles() {
    Volume volume = place.state().volumes().get(String.valueOf(fix.volumeId()));
    if (volume == null || volume.stage() != Volume.Stage.TOMBSTONED) {
      return false;
    }
    String maker = FixState.makerId(volume);
    long claimed = place.claimed(maker);
    if (volume.file() != null) {
      place.files.remove(volume.file());
    }
    place.removeFiles(volume, Math.max(epoch, claimed) + 1, null);
    return world.ask(place, new ForgetWork(maker));
  }

  private boolean unpin() {
    Set<String> needed = ExternalReferences.pinIds(place.state());
    for (CopySource borrowed : ExternalReferences.by(seen)) {
      Place source = world.placeOf(borrowed.repositoryKey());
      if (source != null && !needed.contains(borrowed.pinId())) {
        world.ask(source, new Unpin(borrowed.pinId()));
      }
    }
    return true;
  }

  private boolean removeOrphan() {
    String orphan = String.valueOf(fix.file());
    Volume volume = place.state().volumes().get(orphan.split("\\.", 2)[0]);
    boolean named =
        volume != null && (volume.stage() != Volume.Stage.READY || orphan.equals(volume.file()));
    if (!named) {
      place.files.remove(orphan);
    }
    return true;
  }

  private boolean finishStray() {
    return world.ask(place, new FinishOrphan(fix.id()));
  }
}
