package io.quarry.agent.fix;

import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells files that nobody will ever read from those that somebody may. Intent comes before files: a
 * file whose volume a state newer than the file does not know is left over. So are the claims and
 * checkpoints of a fix whose volume is whole or gone.
 */
public final class OrphanFiles {
  /** Before the id of a fix, in the name of what it has left. */
  private static final String FIXES = "fixes/";

  private static final Pattern FIX_ID = Pattern.compile("[a-z]+-([0-9A-Za-z-]{1,128})");

  private OrphanFiles() {}

  /** The name by which the claims and checkpoints of a fix are cleaned. */
  public static String ofFix(String fixId) {
    return FIXES + fixId;
  }

  /** The fix whose claims and checkpoints these are; null when it is the name of a volume file. */
  static @Nullable String fixOf(String file) {
    return file.startsWith(FIXES) ? file.substring(FIXES.length()) : null;
  }

  /**
   * @param file of a volume, or as {@link #ofFix} gives it
   * @param state read after the file was seen
   */
  public static boolean isOrphan(String file, RepositoryState state) {
    String fixId = fixOf(file);
    if (fixId != null) {
      return isForgotten(fixId, state);
    }
    VolumeName name = VolumeName.parse(file);
    if (name == null) {
      return false;
    }
    Volume volume = state.volumes().get(name.volumeId());
    if (volume == null) {
      return !isFilled(name.volumeId(), state);
    }
    return volume.stage() == Volume.Stage.READY && !file.equals(volume.file());
  }

  /** A tombstoned volume's are its clean's to remove; an intended one may yet be made. */
  private static boolean isForgotten(String fixId, RepositoryState state) {
    Matcher parts = FIX_ID.matcher(fixId);
    if (!parts.matches() || state.fixes().containsKey(fixId)) {
      return false;
    }
    Volume volume = state.volumes().get(parts.group(1));
    return volume == null ? !isFilled(parts.group(1), state) : volume.stage() == Volume.Stage.READY;
  }

  /** Whether an upload fills it, which the log knows as a volume only when it is whole. */
  private static boolean isFilled(String volumeId, RepositoryState state) {
    return state.opens().values().stream().anyMatch(open -> volumeId.equals(open.fills()));
  }
}
