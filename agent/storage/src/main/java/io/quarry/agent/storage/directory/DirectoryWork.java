package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.Json;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.FixState.Worker;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims and checkpoints of fixes on the storage. {@code fixes/<fixId>/claim.<epoch>} is linked, so
 * that exactly one worker gets an epoch. Only that worker replaces {@code progress.<epoch>}.
 */
public final class DirectoryWork implements WorkStore {
  private static final Pattern CLAIM = Pattern.compile("claim\\.(\\d{1,18})");
  private static final Pattern PROGRESS = Pattern.compile("progress\\.(\\d{1,18})");

  private static final Logger LOG = LoggerFactory.getLogger(DirectoryWork.class);

  /** A checkpoint has 500 bytes and an error's text. */
  private static final int FILE_BYTES_MAX = 1 << 20;

  private final Folder fixes;
  private final Folder temporary;

  DirectoryWork(Folder fixes, Folder temporary) {
    this.fixes = fixes;
    this.temporary = temporary;
  }

  @Override
  public @Nullable Claim newestClaim(String fixId) throws IOException {
    long newest = newest(fixId, CLAIM);
    return newest == 0 ? null : claimOf(fixId, newest);
  }

  @Override
  public @Nullable Claim claimOf(String fixId, long epoch) throws IOException {
    return read(fixId, "claim." + epoch, Claim.class);
  }

  @Override
  public Optional<Claim> claim(String fixId, long epoch, Worker worker, Instant now)
      throws IOException {
    if (fixes.createFolder(fixId)) {
      fixes.force();
    }
    Claim claim = new Claim(worker, epoch, now);
    String written = writeTemporary(claim);
    try (Folder folder = fixes.folder(fixId)) {
      folder.link("claim." + epoch, temporary, written);
      folder.force();
      return Optional.of(claim);
    } catch (FileFailure.Exists e) {
      return Optional.empty();
    } finally {
      temporary.remove(written);
    }
  }

  @Override
  public @Nullable Checkpoint newestCheckpoint(String fixId) throws IOException {
    long newest = newest(fixId, PROGRESS);
    return newest == 0 ? null : read(fixId, "progress." + newest, Checkpoint.class);
  }

  @Override
  public void save(String fixId, Checkpoint checkpoint) throws IOException {
    String written = writeTemporary(checkpoint);
    try (Folder folder = fixes.folder(fixId)) {
      folder.rename("progress." + checkpoint.epoch(), temporary, written);
      folder.force();
    } finally {
      temporary.remove(written);
    }
  }

  /**
   * Forgets a fix that is done: no host needs its claims and checkpoints any more. On NFS a file
   * that another host has open keeps a name. That file and the folder stay until the next call.
   */
  @Override
  public void forget(String fixId) throws IOException {
    try (Folder folder = fixes.folder(fixId)) {
      for (String name : folder.names()) {
        if (!name.startsWith(Folder.REMOVED_ON_NFS)) {
          folder.remove(name);
        }
      }
    } catch (FileFailure e) {
      if (e.isNoFile()) {
        return;
      }
      throw e;
    }
    FaultPoints.reach("fix.forgetting");
    try {
      fixes.removeFolder(fixId);
    } catch (FileFailure e) {
      if (e.kind() != FileFailure.Kind.NOT_EMPTY) {
        throw e;
      }
      LOG.debug("{} is not empty yet", fixes.path(fixId));
    }
  }

  @Override
  public List<String> fixes() throws IOException {
    return fixes.names().stream().filter(name -> !name.startsWith(Folder.REMOVED_ON_NFS)).toList();
  }

  void close() {
    fixes.close();
  }

  private long newest(String fixId, Pattern pattern) throws IOException {
    long newest = 0;
    try (Folder folder = fixes.folder(fixId)) {
      for (String name : folder.names()) {
        Matcher matcher = pattern.matcher(name);
        if (matcher.matches()) {
          newest = Math.max(newest, Long.parseLong(matcher.group(1)));
        }
      }
    } catch (FileFailure.NotFound e) {
      return 0;
    }
    return newest;
  }

  private <T> @Nullable T read(String fixId, String name, Class<T> type) throws IOException {
    try (Folder folder = fixes.folder(fixId)) {
      byte[] bytes = folder.read(name, FILE_BYTES_MAX);
      return bytes == null ? null : Json.MAPPER.readValue(bytes, type);
    } catch (FileFailure.NotFound e) {
      return null;
    }
  }

  private String writeTemporary(Object content) throws IOException {
    String written = "fix." + UUID.randomUUID();
    try (NativeFile file = temporary.createNew(written, FileModes.METADATA)) {
      file.write(0, Json.MAPPER.writeValueAsBytes(content));
      file.sync();
    } catch (IOException e) {
      temporary.remove(written);
      throw e;
    }
    return written;
  }
}
