package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;

import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Two repositories, their workers, and all requests so far: a story in progress. */
final class World {
  static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

  /** The commits of a step have numbers of their own, independent of other steps. */
  private static final long COMMITS_PER_STEP = 1_000;

  private final Map<String, Place> places = new LinkedHashMap<>();
  private final Map<String, SteppedWork> workers = new TreeMap<>();
  private final Set<String> over = new HashSet<>();
  private final List<Told> told = new ArrayList<>();
  private final Map<String, Integer> accepted = new HashMap<>();
  private Instant now = BEGIN;
  private long commit;
  private int writes;

  /**
   * One event of the story.
   *
   * @param request null if the event is no request
   * @param makesIds whether ids follow from the number of the commit
   */
  record Told(
      Place place,
      long commit,
      Instant time,
      @Nullable Request request,
      boolean makesIds,
      String what) {}

  World() {
    for (String key : List.of("here", "there")) {
      places.put(key, new Place(key));
    }
  }

  List<Place> places() {
    return List.copyOf(places.values());
  }

  /** Null when there is no such repository. */
  @Nullable Place placeOf(String key) {
    return places.get(key);
  }

  List<Told> told() {
    return told;
  }

  /** How often each operation was granted. */
  Map<String, Integer> accepted() {
    return accepted;
  }

  Instant now() {
    return now;
  }

  /** Workers that can go on. */
  Map<String, SteppedWork> workers() {
    return workers;
  }

  void take(long number, Step step) {
    commit = number * COMMITS_PER_STEP;
    switch (step) {
      case Step.Ask ask -> ask(place(ask.repository()), ask.request());
      case Step.Write write -> write(place(write.repository()), write.openId());
      case Step.Begin begin -> begin(place(begin.repository()), begin.fixId(), begin.worker());
      case Step.GoOn goOn -> goOn(goOn.worker());
      case Step.End end -> {
        workers.remove(end.worker());
        over.add(end.worker());
      }
      case Step.Pass pass -> now = now.plus(pass.time());
    }
    places.values().forEach(place -> place.check(this));
  }

  private Place place(String key) {
    Place place = places.get(key);
    if (place == null) {
      throw new IllegalArgumentException("no repository " + key);
    }
    return place;
  }

  /**
   * The content that a pin keeps for overlays, from the bottom up; null when there is no such pin.
   */
  @Nullable List<List<String>> filesOf(CopySource source) {
    Place place = placeOf(source.repositoryKey());
    Pin pin = place == null ? null : place.state().pins().get(source.pinId());
    return place == null || pin == null
        ? null
        : pin.volumes().reversed().stream().map(place::fileOf).toList();
  }

  /**
   * Agents name a base only once they have pinned it, and release only pins that are not needed.
   */
  private boolean isSane(Place place, Request request) {
    return switch (request) {
      case CreateVirtualDisk create ->
          create.elsewhere() == null || filesOf(create.elsewhere().source()) != null;
      case Unpin unpin -> {
        Pin pin = place.state().pins().get(unpin.pinId());
        Place target = pin == null ? null : placeOf(pin.targetKey());
        yield target == null
            || requireNonNull(pin).volumes().isEmpty()
            || !StalePins.isNeeded(pin, target.state());
      }
      case PinForCopy pin -> pin.baseImageId() == null || canTell(place, pin);
      default -> true;
    };
  }

  /** A list of writes cannot express that data of an unrelated base is missing. */
  private static boolean canTell(Place place, PinForCopy pin) {
    Image image = place.state().images().get(pin.imageId());
    Image base = place.state().images().get(String.valueOf(pin.baseImageId()));
    if (image == null || base == null || place.state().chainOf(image).contains(base)) {
      return true;
    }
    List<String> all = place.contents.of(image.id());
    List<String> below = place.contents.of(base.id());
    return all != null
        && below != null
        && Place.shown(all).keySet().containsAll(Place.shown(below).keySet());
  }

  /** Returns whether the request was granted. */
  boolean ask(Place place, Request request) {
    if (!isSane(place, request)) {
      return false;
    }
    if (request instanceof FinishUpload finish) {
      storeUpload(place, finish);
    }
    long number = ++commit;
    RepositoryState before = place.state();
    List<Change> changes = place.plan(request, number, now, sourceOf(request));
    boolean makesIds =
        changes != null
            && changes.stream()
                .anyMatch(change ->
                    change instanceof Change.PutVolume put
                        && put.volume().replaces() != null
                        && !before.volumes().containsKey(put.volume().id()));
    told.add(new Told(place, number, now, request, makesIds, ""));
    if (changes == null) {
      return false;
    }
    accepted.merge(request.operation(), 1, Integer::sum);
    if (request instanceof BeginUpload begin) {
      // The first agent that took the upload stored a part.
      place.files.put(begin.volumeId() + ".1.raw", new ArrayList<>(List.of(Place.UNFINISHED)));
      claim(place, "optimize-" + begin.volumeId(), 1, "agent1");
    }
    return true;
  }

  /** A second agent took the upload over and has stored all of it. */
  private void storeUpload(Place place, FinishUpload finish) {
    Open upload = place.state().opens().get(finish.uploadId());
    if (upload != null && finish.file().equals(upload.fills() + ".2.raw")) {
      place.files.put(finish.file(), new ArrayList<>(List.of(finish.uploadId())));
      claim(place, "optimize-" + upload.fills(), 2, "agent2");
    }
  }

  private @Nullable List<String> sourceOf(Request request) {
    CopySource from =
        switch (request) {
          case CopyImage copy -> copy.source();
          case CreateVirtualDisk disk ->
              disk.elsewhere() == null ? null : disk.elsewhere().source();
          default -> null;
        };
    Place source = from == null ? null : places.get(from.repositoryKey());
    return source == null ? null : source.contents.of(requireNonNull(from).imageId());
  }

  private void write(Place place, String openId) {
    Open open = place.state().opens().get(openId);
    if (open != null && !open.readOnly() && open.fills() == null) {
      String what = "w" + ++writes;
      place.fileOf(open.volumes().getFirst()).add(what);
      place.contents.write(open.imageId(), what);
      tell(place, openId + " writes " + what);
    }
  }

  private void begin(Place place, String fixId, String worker) {
    FixState fix = place.state().fixes().get(fixId);
    if (fix == null || !fix.runnable() || workers.containsKey(worker)) {
      return;
    }
    long epoch;
    if (fix.heavy()) {
      epoch = place.claimed(fixId) + 1;
      claim(place, fixId, epoch, worker);
    } else {
      ask(place, new GrantFixes(new Worker(worker, worker), Map.of(fixId, fix.epoch())));
      epoch = fix.epoch() + 1;
    }
    workers.put(worker, new SteppedWork(this, place, fix, epoch, worker));
    tell(place, worker + " begins epoch " + epoch + " of " + fixId);
  }

  private void claim(Place place, String fixId, long epoch, String worker) {
    ask(place, new ClaimWork(fixId, epoch, new Worker(worker, worker), worker, now));
  }

  private void goOn(String worker) {
    SteppedWork work = workers.get(worker);
    if (work != null) {
      tell(work.place(), worker + " goes on with " + work.fix().id());
      if (!work.goOn()) {
        workers.remove(worker);
      }
    }
  }

  private void tell(Place place, String what) {
    told.add(new Told(place, commit, now, null, false, what));
  }

  /** Whether the worker is proven never to continue. */
  boolean isOver(String worker) {
    return over.contains(worker);
  }

  /** Whether all workers of earlier epochs are proven never to continue. */
  boolean allOver(Place place, String fixId, long from, long ours) {
    for (long number = from; number < ours; number++) {
      Epoch epoch = place.state().work().epochs().of(fixId, number);
      if (epoch == null || !over.contains(epoch.worker().incarnation())) {
        return false;
      }
    }
    return true;
  }

  /**
   * All workers crash, all retention ends, and the ending brings the repositories to their best.
   */
  void comeToRest(long number) {
    workers.clear();
    now = now.plus(Duration.ofDays(2));
    new Ending(this, number).run();
  }
}
