package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.SimFolder;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.HostileStorage;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.sim.SimDisk;
import io.quarry.coordinator.sim.SimMount;
import io.quarry.coordinator.sim.SimMount.LinkFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** The real store over a simulated filesystem, which can lose writes that were not forced. */
final class FileStorage implements HostileStorage {
  private static final String ROOT = "/repository";

  private final SimDisk disk;
  private final Path root;
  private final List<FileHost> hosts = new ArrayList<>();

  FileStorage(BiConsumer<String, byte[]> onLink) throws IOException {
    this.disk =
        new SimDisk(
            (path, content) -> onLink.accept(path.substring(path.lastIndexOf('/') + 1), content));
    this.root = root(new SimMount(disk, step -> {}));
    for (String directory : List.of("log", "tmp")) {
      Files.createDirectories(root.resolve(directory));
    }
    CommitLog.create(calm());
    disk.forceAll();
  }

  private static Path root(SimMount mount) {
    return mount.files().getPath(ROOT);
  }

  @Override
  public Host host(String name, Consumer<String> beforeEachStep) throws IOException {
    FileHost host = new FileHost(name, beforeEachStep);
    hosts.add(host);
    return host;
  }

  @Override
  public SlotStore calm() throws IOException {
    return new DirectorySlotStore(new SimFolder(root), "calm");
  }

  @Override
  public byte[] stored(String name) throws IOException {
    return Files.readAllBytes(root.resolve("log").resolve(name));
  }

  @Override
  public void overwrite(String name, byte[] stored) throws IOException {
    Files.write(
        root.resolve("log").resolve(name),
        stored,
        StandardOpenOption.WRITE,
        StandardOpenOption.TRUNCATE_EXISTING);
  }

  @Override
  public void powerCut(Random random) {
    hosts.forEach(host -> host.mount.loseDelayed());
    disk.powerCut(random);
  }

  private final class FileHost implements Host {
    private final String name;
    private final Consumer<String> beforeEachStep;
    private SimMount mount;
    private SlotStore store;
    private int lives;

    FileHost(String name, Consumer<String> beforeEachStep) throws IOException {
      this.name = name;
      this.beforeEachStep = beforeEachStep;
      this.mount = new SimMount(disk, beforeEachStep);
      this.store = calm();
    }

    @Override
    public void beginLife() throws IOException {
      SimMount before = mount;
      before.landDelayed();
      mount = new SimMount(disk, beforeEachStep);
      store = new DirectorySlotStore(new SimFolder(root(mount)), name + "-" + lives++);
    }

    @Override
    public SlotStore store() {
      return store;
    }

    @Override
    public void nextWrites(Fault... faults) {
      for (Fault fault : faults) {
        mount.nextLinks(
            switch (fault) {
              case NONE -> LinkFault.NONE;
              case LOST_REPLY -> LinkFault.LOST_REPLY;
              case SENT_TWICE -> LinkFault.SENT_TWICE;
              case LATE -> LinkFault.DELAYED;
            });
      }
    }

    @Override
    public void failReads(int count) {
      mount.failReads(count);
    }

    @Override
    public void disturb(Random random) throws IOException {
      switch (random.nextInt(20)) {
        case 0 -> mount.nextLinks(LinkFault.LOST_REPLY);
        case 1 -> mount.nextLinks(LinkFault.DELAYED);
        case 2 -> mount.failWrites(1);
        case 3 -> mount.nextLinks(LinkFault.DELAYED, LinkFault.LOST_REPLY);
        case 4 -> mount.failReads(1);
        case 5 -> mount.freezeListing(ROOT + "/log");
        case 6 -> mount.landDelayed();
        case 7 -> mount.nextLinks(LinkFault.SENT_TWICE);
        case 8 -> mount.nextLinks(LinkFault.LOST_REPLY, LinkFault.SENT_TWICE);
        case 9 -> mount.failForces(1);
        case 10 -> mount.failForces(2);
        default -> {}
      }
    }

    /** The files' checksums would detect that, so it is not simulated here. */
    @Override
    public void spoilNextCheckpoint() {}

    @Override
    public void landDelayed() {
      mount.landDelayed();
    }
  }
}
