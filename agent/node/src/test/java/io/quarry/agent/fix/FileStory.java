package io.quarry.agent.fix;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.BeginUpload;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.CopyImage;
import io.quarry.coordinator.plan.FinishUpload;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.GrantFixes;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.LikelyRequests;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.RandomRequests;
import io.quarry.coordinator.plan.Request;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Two repositories on a real filesystem. QEMU's tools write to them, and workers run their fixes.
 * The story stops workers wherever a worker could die. Some continue later, some never do, and the
 * death of some is proven.
 */
final class FileStory {
  private static final int STEPS = 90;
  private static final int WORKERS_AT_ONCE_MAX = 3;

  /** More places than a small fix has, fewer than a copy has. */
  private static final int PLACES = 7;

  private static final long MIB = 1L << 20;

  /** So large that some copies have more than one window. */
  private static final long LARGE = 65 * MIB;

  private final String zooKeeper;
  private final Path directory;
  private final Random random;
  private final RandomRequests requests;
  private final LikelyRequests likely;
  private final StoryClock clock = new StoryClock();
  private final Spawner spawner;
  private final Set<String> dead = new HashSet<>();
  private final List<SteppedWorker> workers = new ArrayList<>();
  private final List<FilePlace> places = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private StoryHost host;
  private int lives;
  private int names;

  FileStory(long seed, String zooKeeper, Path directory, Spawner spawner) throws Exception {
    this.zooKeeper = zooKeeper;
    this.directory = directory;
    this.spawner = spawner;
    this.random = new Random(seed);
    long unit = random.nextInt(4) == 0 ? LARGE : MIB;
    this.requests = new RandomRequests(random, unit);
    this.likely = new LikelyRequests(random, unit);
    this.host = live();
    Writes writes = new Writes(random, new Tools(new Children(spawner, "story")));
    for (ConnectedRepository repository : host.repositories()) {
      places.add(new FilePlace(repository, writes, directory.resolve("expected")));
    }
  }

  private StoryHost live() throws Exception {
    return new StoryHost(zooKeeper, directory, "life" + lives++, clock, spawner, dead);
  }

  List<FilePlace> places() {
    return places;
  }

  StoryHost host() {
    return host;
  }

  /** The events so far, for a person who examines a failure. */
  List<String> told() {
    return told;
  }

  void tell(String what) {
    told.add(what);
  }

  void play() throws Exception {
    for (int step = 0; step < STEPS; step++) {
      step();
    }
    for (SteppedWorker worker : workers) {
      worker.die();
    }
    clock.pass(Duration.ofDays(2));
    new FileEnding(this).run();
    for (FilePlace place : places) {
      place.checkBest(host);
    }
  }

  private void step() throws Exception {
    FilePlace place = places.get(random.nextInt(3) / 2);
    FilePlace other = places.get(place == places.getFirst() ? 1 : 0);
    switch (random.nextInt(20)) {
      case 0, 1 -> ask(place, requests.next(place, other));
      case 2, 3, 4, 5 -> likely(place, other);
      case 6, 7, 8 -> use(place);
      case 9, 10, 11, 12, 13 -> begin(place, true);
      case 14, 15 -> begin(place, false);
      case 16, 17 -> goOn();
      case 18 -> crash();
      default -> {
        if (random.nextInt(3) == 0) {
          restart();
        } else {
          look(place);
        }
      }
    }
  }

  /** Light mends mostly run at once, on the host that takes the call. */
  private void likely(FilePlace place, FilePlace other) throws Exception {
    for (LikelyRequests.To to : likely.next(place, other)) {
      FilePlace target = to.repository().key().equals(place.key()) ? place : other;
      if (!ask(target, to.request())) {
        return;
      }
      for (FixState fix : List.copyOf(target.state().fixes().values())) {
        if (fix.type() == FixType.MEND && !fix.heavy() && random.nextInt(4) > 0) {
          finish(begin(target, fix.id()));
        }
      }
    }
  }

  static void finish(@Nullable SteppedWorker worker) throws InterruptedException {
    if (worker != null) {
      worker.goOnToTheEnd();
    }
  }

  boolean ask(FilePlace place, Request request) throws Exception {
    if (request instanceof FinishUpload finish) {
      store(place, finish);
    }
    var reply = place.ask(request, sourceOf(request));
    tell((reply == null ? "! " : "> ") + place.repository().repoId() + " " + request);
    if (reply != null && request instanceof BeginUpload begin) {
      claim(place, begin.volumeId(), 1);
    }
    return reply != null;
  }

  private @Nullable List<String> sourceOf(Request request) {
    return request instanceof CopyImage copy
        ? places.stream()
            .filter(place -> place.key().equals(copy.source().repositoryKey()))
            .findAny()
            .map(place -> place.contents().of(copy.source().imageId()))
            .orElse(null)
        : null;
  }

  /** A second agent took the upload over, and has received all of it. */
  private void store(FilePlace place, FinishUpload finish) throws Exception {
    Open upload = place.state().opens().get(finish.uploadId());
    Image image = place.state().images().get(finish.imageId());
    if (upload != null && image != null && finish.file().equals(upload.fills() + ".2.raw")) {
      claim(place, requireNonNull(upload.fills()), 2);
      place.store(finish.uploadId(), finish.file(), image.size());
    }
  }

  private void claim(FilePlace place, String volumeId, long epoch) throws Exception {
    place
        .repository()
        .storage()
        .work()
        .claim("optimize-" + volumeId, epoch, new Worker("story", "agent"), clock.instant());
  }

  private void use(FilePlace place) throws Exception {
    OpenImage open = likely.use(place.state());
    if (open != null && ask(place, open)) {
      String what = "w" + names++;
      place.write(requireNonNull(place.state().opens().get(open.openId())), what);
      tell(open.openId() + " writes " + what);
      if (random.nextInt(4) > 0) {
        ask(place, new CloseImage(open.imageId(), open.openId()));
      }
    }
  }

  private void look(FilePlace place) throws Exception {
    List<Image> images = List.copyOf(place.state().images().values());
    if (!images.isEmpty()) {
      place.check(images.get(random.nextInt(images.size())));
    }
  }

  private void begin(FilePlace place, boolean toTheEnd) throws Exception {
    List<String> fixes =
        place.state().fixes().values().stream()
            .filter(FixState::runnable)
            .map(FixState::id)
            .sorted()
            .toList();
    if (fixes.isEmpty() || (!toTheEnd && workers.size() >= WORKERS_AT_ONCE_MAX)) {
      return;
    }
    List<String> heavy =
        fixes.stream().filter(id -> requireNonNull(place.state().fixes().get(id)).heavy()).toList();
    List<String> choice = heavy.isEmpty() ? fixes : heavy;
    SteppedWorker worker = begin(place, choice.get(random.nextInt(choice.size())));
    if (toTheEnd) {
      finish(worker);
    } else if (worker != null) {
      workers.add(worker);
    }
  }

  /** Gives the next epoch of a fix to a new worker; null when no worker is to have it. */
  @Nullable SteppedWorker begin(FilePlace place, String fixId) throws Exception {
    FixState fix = place.state().fixes().get(fixId);
    if (fix == null || !fix.runnable()) {
      return null;
    }
    String name = "worker" + names++;
    long epoch = fix.epoch() + 1;
    if (fix.heavy()) {
      WorkStore store = place.repository().storage().work();
      Claim newest = store.newestClaim(fixId);
      epoch = newest == null ? 1 : newest.epoch() + 1;
      assertThat(store.claim(fixId, epoch, new Worker("story", name), clock.instant())).isPresent();
    } else {
      ask(place, new GrantFixes(new Worker("story", name), Map.of(fixId, fix.epoch())));
    }
    tell(name + " begins epoch " + epoch + " of " + fixId);
    FixState granted = requireNonNull(place.state().fixes().get(fixId));
    return new SteppedWorker(host.running(place.repository(), granted, name, epoch));
  }

  /** Lets one of the workers continue for a few places. */
  private void goOn() throws Exception {
    if (!workers.isEmpty()) {
      SteppedWorker worker = workers.get(random.nextInt(workers.size()));
      goOn(worker, 1 + random.nextInt(4));
      tell(worker.run().taskId() + (worker.over() ? " is over" : " gets to " + worker.place()));
      workers.removeIf(SteppedWorker::over);
    }
  }

  private static void goOn(SteppedWorker worker, int places) throws InterruptedException {
    for (int i = 0; i < places && !worker.over(); i++) {
      worker.goOn();
    }
  }

  /** Crashes a worker at any place on its way; another worker may continue. */
  private void crash() throws Exception {
    if (workers.isEmpty()) {
      return;
    }
    SteppedWorker worker = workers.get(random.nextInt(workers.size()));
    goOn(worker, random.nextInt(PLACES));
    crash(worker);
    for (FilePlace place : places) {
      if (place.repository().equals(worker.run().repository()) && random.nextBoolean()) {
        finish(begin(place, worker.run().fix().id()));
      }
    }
  }

  private void crash(SteppedWorker worker) throws Exception {
    boolean proven = random.nextBoolean();
    tell(worker.run().taskId() + " dies at " + worker.place() + (proven ? ", as is known" : ""));
    worker.die();
    workers.remove(worker);
    if (proven) {
      dead.add(worker.run().worker().incarnation());
    }
  }

  /** Ends the agent with all of its threads, and starts it again. */
  private void restart() throws Exception {
    tell("restart");
    for (SteppedWorker worker : List.copyOf(workers)) {
      crash(worker);
    }
    host.close();
    host = live();
    for (int i = 0; i < places.size(); i++) {
      places.get(i).reconnected(host.repositories().get(i));
    }
  }

  /** Ends the worker, whatever its state: no part of it runs any more. */
  void end() throws Exception {
    for (SteppedWorker worker : workers) {
      worker.die();
    }
    host.close();
  }
}
