package io.quarry.agent.storage.directory;

import com.fasterxml.jackson.core.JacksonException;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Filesystem;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Reflinks;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.Traits;
import io.quarry.common.api.Json;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.cluster.Canary;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A repository in a directory tree, which is opened once. */
public final class DirectoryStorage implements RepositoryStorage {
  private static final Logger LOG = LoggerFactory.getLogger(DirectoryStorage.class);

  private static final String CANARY = "canary.";

  /** The metadata of a qcow2 file is smaller than this part of its data, plus a mebibyte. */
  private static final long TABLES_PART = 4_096;

  private static final long TABLES_BYTES = 1 << 20;

  /** A size that holds the largest image that there may be. */
  static final long LARGEST_FILE_ASKED =
      Limits.IMAGE_BYTES_MAX + Limits.IMAGE_BYTES_MAX / TABLES_PART + TABLES_BYTES;

  /** With room for fewer files a storage counts as full: a commit takes two for a moment. */
  private static final int FILES_MIN = 2;

  /** One sector, so that a reader sees the old or the new one. */
  private static final int CANARY_BYTES = 512;

  private final Folder root;
  private final Genesis genesis;
  private final Traits traits;
  private final DirectorySlotStore slots;
  private final DirectoryVolumes volumes;
  private final DirectoryWork work;
  private final Folder temporary;
  private volatile Release release = _ -> {};
  private volatile boolean disconnected;

  /**
   * @param root the storage closes this folder
   * @param largestFile in bytes; {@link #LARGEST_FILE_ASKED} when that or more
   * @param protection of the files of volumes
   */
  DirectoryStorage(
      Folder root,
      Genesis genesis,
      long largestFile,
      DirectoryVolumes.Protection protection,
      String writer)
      throws IOException {
    this.root = root;
    this.genesis = genesis;
    this.slots = new DirectorySlotStore(root, writer);
    this.volumes = new DirectoryVolumes(root.folder("volumes"), protection);
    this.temporary = root.folder(DirectoryConnection.TEMPORARY);
    this.work = new DirectoryWork(root.folder("fixes"), temporary);
    this.traits = new Traits(largestImage(largestFile), protection.text(), "thisHost", false);
  }

  @Override
  public Genesis genesis() {
    return genesis;
  }

  @Override
  public Traits traits() {
    return traits;
  }

  /** In a fully written qcow2 file, which a disk gets by a snapshot. */
  private static long largestImage(long largestFile) {
    long data = Math.max(0, largestFile - TABLES_BYTES);
    return data / (TABLES_PART + 1) * TABLES_PART;
  }

  @Override
  public DirectorySlotStore slots() {
    return slots;
  }

  @Override
  public String place() {
    return root.path().toString();
  }

  @Override
  public DirectoryVolumes volumes() {
    return volumes;
  }

  @Override
  public DirectoryWork work() {
    return work;
  }

  @Override
  public void ping(String fileName) throws IOException {
    try {
      temporary.createNew(fileName, FileModes.METADATA).close();
    } catch (FileFailure e) {
      switch (e.kind()) {
        case EXISTS -> LOG.debug("{} is there already", temporary.path(fileName));
        case NO_SPACE -> LOG.debug("{} has no room for another file", temporary.path());
        default -> throw e;
      }
    }
    temporary.remove(fileName);
  }

  @Override
  public boolean isUsable(String fileName) {
    try {
      ping(fileName);
      return true;
    } catch (IOException e) {
      LOG.debug("{} cannot be used: {}", root.path(), e.toString());
      return false;
    }
  }

  @Override
  public @Nullable String keyAtPlace() throws IOException {
    try (Folder now = Folder.open(root.path())) {
      byte[] found = now.read(Genesis.FILE, GenesisFile.BYTES_MAX);
      return found == null ? null : Json.MAPPER.readTree(found).path("key").asText();
    } catch (FileFailure e) {
      if (e.isNoFile()) {
        return null;
      }
      throw e;
    } catch (JacksonException e) {
      return null;
    }
  }

  /** A mount may have changed since the folders were opened. */
  @Override
  public List<Canary> canaries() throws IOException {
    List<Canary> found = new ArrayList<>();
    try (Folder now = Folder.open(root.path())) {
      for (String name : now.names()) {
        byte[] content = name.startsWith(CANARY) ? now.read(name, CANARY_BYTES) : null;
        if (content != null) {
          add(content, name, found);
        }
      }
    } catch (FileFailure.NotFound e) {
      return List.of();
    }
    return found;
  }

  /** A host that died while writing a canary must not keep the other hosts from theirs. */
  private static void add(byte[] content, String name, List<Canary> found) throws IOException {
    try {
      found.add(Json.MAPPER.readValue(content, Canary.class));
    } catch (JacksonException e) {
      LOG.debug("{} is being written, or was not written whole: {}", name, e.getMessage());
    }
  }

  /**
   * Writes this host's canary. Each host has a file of its own: a paused and deposed SDM must not
   * overwrite its successor's canary. The file is written in place, since other hosts of a shared
   * filesystem see a new name late. The write is durable, since ZooKeeper shows the canary durably
   * afterwards. A host's first canary on a full storage comes from the reserve.
   */
  @Override
  public void writeCanary(String hostId, Canary canary) throws IOException {
    byte[] text = Json.MAPPER.writeValueAsBytes(canary);
    byte[] block = Arrays.copyOf(text, CANARY_BYTES);
    Arrays.fill(block, text.length, block.length, (byte) ' ');
    var _ =
        slots.fromReserve(() -> {
          try (NativeFile file = openCanary(CANARY + hostId)) {
            file.write(0, block);
            file.sync();
            return true;
          }
        });
  }

  private NativeFile openCanary(String name) throws IOException {
    try {
      return root.openWrite(name);
    } catch (FileFailure.NotFound e) {
      NativeFile created = root.createNew(name, FileModes.METADATA);
      root.force();
      return created;
    }
  }

  @Override
  public Space space() throws IOException {
    Filesystem filesystem = root.filesystem();
    return new Space(
        filesystem.capacity(), filesystem.free(), filesystem.hasRoomForFiles(FILES_MIN));
  }

  @Override
  public boolean sharesBlocks(RepositoryStorage from) throws IOException {
    return from instanceof DirectoryStorage directory
        && Reflinks.between(directory.temporary, temporary);
  }

  /** Frees each old name, whatever has the name; for a link, the link itself and not its target. */
  @Override
  public int sweep(Duration age) throws IOException {
    Instant before = now().minus(age);
    int swept = 0;
    for (String name : temporary.names()) {
      try {
        FileStatus status = temporary.status(name);
        boolean ours =
            status.kind() != FileStatus.Kind.DIRECTORY && !name.startsWith(Folder.REMOVED_ON_NFS);
        if (ours && status.modified().isBefore(before)) {
          swept += temporary.remove(name) ? 1 : 0;
        }
      } catch (FileFailure e) {
        // The file is gone already, or stays; the sweep continues with the other files.
        LOG.debug("{} is not swept: {}", temporary.path(name), e.toString());
      }
    }
    return swept;
  }

  /**
   * The time of a file that was made now. A file server's clock stamps the files, and this host's
   * clock may differ. Where no file can be made, this host's clock has to do.
   */
  private Instant now() throws IOException {
    try {
      return Probe.made(temporary).modified();
    } catch (FileFailure e) {
      if (e.kind() != FileFailure.Kind.NO_SPACE) {
        throw e;
      }
      return Instant.now();
    }
  }

  @Override
  public void close() {
    volumes.close();
    work.close();
    temporary.close();
    slots.close();
    release.release(disconnected);
  }

  @Override
  public void disconnects() {
    disconnected = true;
  }

  /** Gives up the directory. */
  public interface Release {
    /**
     * @param forGood whether a caller has disconnected the repository
     */
    void release(boolean forGood);
  }

  /** What the storage does last when it is closed, for example to unmount its directory. */
  public void whenClosed(Release releasing) {
    this.release = releasing;
  }
}
