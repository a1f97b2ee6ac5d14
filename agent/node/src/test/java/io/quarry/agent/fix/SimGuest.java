package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.model.ImageKind;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.EndDeadOpens;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.ReapOpens;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.sim.Baton;
import io.quarry.coordinator.sim.Life;
import io.quarry.coordinator.sim.SimMount;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A host of VMs: one after the other opens a disk, reads it, writes, and closes it. */
final class SimGuest {
  private static final int USES = 8;
  private static final int WRITES_MAX = 4;

  private final SimWorld world;
  private final Random random;
  private final String name;
  private final List<SimCaller.Open> unanswered = new ArrayList<>();
  private Life life = new Life();
  private String hostId;
  private HostBoot boot;

  SimGuest(SimWorld world, String name) {
    this.world = world;
    this.random = world.random();
    this.name = name;
    this.hostId = world.fresh(name);
    this.boot = new HostBoot(world.fresh("key"), world.fresh("boot"));
  }

  Life life() {
    return life;
  }

  List<SimCaller.Open> unanswered() {
    return unanswered;
  }

  void useAll() {
    for (int i = 0; i < USES; i++) {
      try {
        life.step("starts");
        endEarlierBoots();
        use(world.anyPlace());
      } catch (Baton.Died e) {
        if (random.nextBoolean()) {
          // The guest's host is gone for good, and known to be.
          for (SimPlace place : world.places()) {
            unanswered.add(begin(place, new ReapOpens(hostId)));
          }
          hostId = world.fresh(name);
          boot = new HostBoot(world.fresh("key"), world.fresh("boot"));
        } else {
          boot = new HostBoot(boot.hostKey(), world.fresh("boot"));
        }
        life = new Life();
      }
    }
    world.finished();
  }

  private void endEarlierBoots() {
    for (SimPlace place : world.places()) {
      EndDeadOpens ending = ending(place);
      if (ending != null && ask(place, ending) != null) {
        ending.openIds().forEach(id -> assertThat(place.state().opens()).doesNotContainKey(id));
        world.count("opens of earlier boots ended");
      }
    }
  }

  /** The request of a host that has rebooted; null when its earlier boots have no opens. */
  @Nullable EndDeadOpens ending(SimPlace place) {
    List<String> dead =
        place.state().opens().values().stream()
            .filter(open -> EndDeadOpens.isDead(open, hostId, boot))
            .map(Open::id)
            .sorted()
            .toList();
    return dead.isEmpty() ? null : new EndDeadOpens(hostId, boot, dead);
  }

  private void use(SimPlace place) {
    var _ = life.await(() -> hasDisk(place.state()), "waits for a disk");
    RepositoryState state = place.state();
    List<Image> disks = state.images().values().stream().filter(one -> isDisk(one, state)).toList();
    if (disks.isEmpty()) {
      return;
    }
    List<Image> copies =
        disks.stream().filter(one -> state.volumeOf(one).source() != null).toList();
    List<Image> choice = copies.isEmpty() || random.nextInt(3) == 0 ? disks : copies;
    Image disk = choice.get(random.nextInt(choice.size()));
    String openId = world.fresh("open");
    Reply reply = ask(place, new OpenImage(openId, disk.id(), false, hostId, null, null, boot));
    if (reply == null) {
      return;
    }
    Open open = Objects.requireNonNull(place.state().opens().get(openId));
    Volume top = Objects.requireNonNull(place.state().volumes().get(open.volumes().getFirst()));
    if (top.format() == VolumeFormat.RAW) {
      run(place, top);
    }
    // Whatever other boots have ended meanwhile, this boot has not.
    assertThat(place.state().opens()).as("%s of %s", openId, hostId).containsKey(openId);
    var _ = ask(place, new CloseImage(disk.id(), openId));
  }

  private static boolean hasDisk(RepositoryState state) {
    return state.images().values().stream()
        .anyMatch(one -> isDisk(one, state) && state.volumeOf(one).source() != null);
  }

  private static boolean isDisk(Image image, RepositoryState state) {
    return image.visible() && image.kind() == ImageKind.VIRTUAL_DISK && state.isWhole(image);
  }

  private void run(SimPlace place, Volume volume) {
    SimMount mount = new SimMount(world.disk(), life::step);
    Path file =
        mount.files().getPath(place.root() + "/volumes/" + Objects.requireNonNull(volume.file()));
    SimContent content = place.content(volume.id());
    try {
      content.check(Files.readAllBytes(file), file.toString());
      int writes = random.nextInt(WRITES_MAX);
      for (int i = 0; i < writes; i++) {
        write(file, content, random.nextInt(SimContent.BLOCKS), 1 + random.nextInt(1 << 20));
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void write(Path file, SimContent content, int block, int stamp)
      throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(SimContent.block(stamp));
      content.maybe(block, stamp);
      channel.write(bytes, (long) block * SimContent.BLOCK_BYTES);
      channel.force(false);
      content.surely(block, stamp);
    }
  }

  private SimCaller.Open begin(SimPlace place, Request request) {
    return new SimCaller.Open(place, world.fresh("request"), request, place.newestTold());
  }

  private @Nullable Reply ask(SimPlace place, Request request) {
    return SimCaller.call(world, life, begin(place, request), unanswered);
  }
}
