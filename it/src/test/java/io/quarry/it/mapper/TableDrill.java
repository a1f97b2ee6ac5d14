package io.quarry.it.mapper;

import io.quarry.agent.data.os.DeviceMapper;
import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import io.quarry.agent.data.os.DeviceNodes;
import io.quarry.agent.storage.block.MapTable;
import io.quarry.agent.storage.block.MapTable.View;
import io.quarry.agent.storage.block.MappedDevices;
import io.quarry.coordinator.plan.Allocation;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Mapping;
import io.quarry.coordinator.plan.Pool;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Run;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;

/**
 * A table of mappings with devices of a real kernel, in a machine of the lab. Prints a line for
 * each thing that was seen.
 */
final class TableDrill {
  private static final long MIB = 1 << 20;
  private static final String KEY = "0123456789abcdef0123456789abcdef";
  private static final String HOST = "a";
  private static final HostBoot BOOT = new HostBoot("key-a", "boot");
  private static final String FILE = "disk.1.qcow2";
  private static final Path NODES = Path.of("/dev/quarry/01234567");
  private static final int OWNER = 1234;
  private static final int MODE = 0660;

  private final MappedDevices devices;
  private MapTable table;

  private TableDrill(DeviceMapper mapper, DeviceNumber data) throws IOException {
    DeviceNodes nodes = DeviceNodes.in(NODES, OWNER, OWNER, MODE);
    this.devices = new MappedDevices(mapper, nodes, KEY, data, MIB);
    this.table = newTable(0);
  }

  private MapTable newTable(long start) {
    return new MapTable(HOST, BOOT, devices, start);
  }

  /** Arguments: the major and the minor number of a block device of 64 MiB. */
  public static void main(String[] args) throws Exception {
    DeviceNumber data = new DeviceNumber(Integer.parseInt(args[0]), Integer.parseInt(args[1]));
    try (DeviceMapper mapper = DeviceMapper.open()) {
      TableDrill drill = new TableDrill(mapper, data);
      drill.growth();
      drill.nextAgent();
      drill.fencing();
      drill.leftovers();
    }
  }

  private static void saw(String what, Object value) {
    System.out.println(what + " " + value);
  }

  private static View view(long commit, Change... changes) {
    RepositoryState state =
        RepositoryState.EMPTY
            .apply(new Change.PutFeature(Feature.EXTENTS))
            .apply(new Change.PutPool(new Pool(MIB, 64)));
    for (Change change : changes) {
      state = state.apply(change);
    }
    return new View(state.extents(), commit);
  }

  private static View mapped(long commit, Run... runs) {
    return view(
        commit,
        new Change.PutAllocation(new Allocation(FILE, List.of(runs))),
        new Change.PutMapping(new Mapping(FILE, HOST, BOOT, commit)));
  }

  private Path node() {
    return devices.path(FILE);
  }

  private void growth() throws IOException {
    saw("MADE", table.make(mapped(1, new Run(4, 1)), FILE, false));
    saw("OWNER", Files.getAttribute(node(), "unix:uid"));
    saw("MODE", Integer.toOctalString((int) Files.getAttribute(node(), "unix:mode") & 0777));
    try (FileChannel disk = FileChannel.open(node(), StandardOpenOption.WRITE)) {
      saw("SECOND-MIB", failure(() -> write(disk, 1)));
      saw("GROWN", table.make(mapped(2, new Run(4, 1), new Run(9, 2)), FILE, false));
      saw("SECOND-MIB-GROWN", failure(() -> write(disk, 1)));
      saw("TOLD-WHILE-OPEN", table.remove(mapped(2, new Run(4, 1)), List.of(FILE), file -> true));
      saw("NODE-WHILE-OPEN", Files.exists(node()));
    }
    saw("RUNS", Objects.requireNonNull(devices.runs(FILE)));
  }

  private void nextAgent() throws IOException {
    table = newTable(2);
    View seen = mapped(2, new Run(4, 1), new Run(9, 2));
    saw("GOES-ON", table.make(seen, FILE, false));
    saw("TOLD", table.remove(seen, List.of(FILE), file -> true));
    saw("NODE-GONE", !Files.exists(node()));
    saw("AGAIN", table.make(seen, FILE, false));
  }

  private void fencing() throws IOException {
    var _ = table.make(mapped(4, new Run(4, 2)), FILE, false);
    try (FileChannel disk = FileChannel.open(node(), StandardOpenOption.WRITE)) {
      saw("BEFORE-THE-FENCE", failure(() -> write(disk, 0)));
      saw("CUT-OFF", table.reconcile(view(5)));
      saw("BEHIND-THE-FENCE", failure(() -> write(disk, 0)));
      saw("BACK-TOO-EARLY", failure(() -> table.make(mapped(6, new Run(4, 2)), FILE, false)));
    }
    saw("BACK", table.make(mapped(6, new Run(4, 2)), FILE, false));
    try (FileChannel disk = FileChannel.open(node(), StandardOpenOption.WRITE)) {
      saw("WRITTEN-AGAIN", failure(() -> write(disk, 0)));
    }
    saw("REMOVED-BY-A-LOOK", table.reconcile(view(7)).isEmpty() && devices.files().isEmpty());
  }

  private void leftovers() throws IOException {
    Files.createFile(NODES.resolve("gone.1.raw"));
    devices.removeStrayNodes();
    try (var left = Files.list(NODES)) {
      saw("NODES-LEFT", left.toList());
    }
  }

  private interface Step {
    Object run() throws IOException;
  }

  private static String failure(Step step) {
    try {
      var _ = step.run();
      return "none";
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** Writes that MiB, durably. */
  private static Object write(FileChannel disk, long mib) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) MIB);
    while (buffer.hasRemaining()) {
      disk.write(buffer, mib * MIB + buffer.position());
    }
    disk.force(false);
    return mib;
  }
}
