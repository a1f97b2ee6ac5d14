package io.quarry.coordinator.cluster;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.regex.Pattern;

/**
 * Every path this project has in ZooKeeper, together with the codec of what is there.
 *
 * <pre>
 * hosts/(hostId)@(incarnation)                 ephemeral  {@link HostRecord}
 * dead/(incarnation)                           persistent {@link DeathRecord}
 * repositories/(key)/candidates/...            ephemeral  {@link Candidate}, written by Curator
 * repositories/(key)/fixes/(fixId)-(nonce)     persistent {@link FixEntry}; its version counts claims
 * repositories/(key)/claims/(the fix's name)   ephemeral  {@link ClaimRecord}
 * repositories/(key)/head/sequence             persistent {@link HeadRecord}
 * repositories/(key)/head/canary               persistent {@link HeadRecord}
 * cluster/identity                             persistent {@link ClusterRecord}
 * </pre>
 *
 * Content is JSON without class names. Readers ignore fields they do not know: agents of two
 * versions work side by side during an upgrade.
 */
final class Znodes {
  static final String HEAD_NAME = "sequence";
  static final String CANARY_NAME = "canary";

  private static final String SEPARATOR = "/";
  private static final char INCARNATION_MARK = '@';
  private static final char NONCE_MARK = '-';
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,200}");
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .addModule(
              new SimpleModule()
                  .addSerializer(Instant.class, ToStringSerializer.instance)
                  .addDeserializer(Instant.class, new InstantReader()))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .build();

  private final String root;

  private Znodes(String root) {
    this.root = root;
  }

  /** Splits a connect string with an optional chroot into its servers and its paths. */
  static Znodes of(String connectString) {
    int slash = connectString.indexOf(SEPARATOR);
    if (slash < 0) {
      return new Znodes("");
    }
    String chroot = connectString.substring(slash);
    return new Znodes(chroot.equals(SEPARATOR) ? "" : chroot);
  }

  static String servers(String connectString) {
    int slash = connectString.indexOf(SEPARATOR);
    return slash < 0 ? connectString : connectString.substring(0, slash);
  }

  Directory<HostRecord> hosts() {
    return directory(HostRecord.class, "hosts");
  }

  Directory<DeathRecord> dead() {
    return directory(DeathRecord.class, "dead");
  }

  Directory<ClusterRecord> cluster() {
    return directory(ClusterRecord.class, "cluster");
  }

  Directory<Candidate> candidates(String repositoryKey) {
    return ofRepository(Candidate.class, repositoryKey, "candidates");
  }

  Directory<FixEntry> fixes(String repositoryKey) {
    return ofRepository(FixEntry.class, repositoryKey, "fixes");
  }

  Directory<ClaimRecord> claims(String repositoryKey) {
    return ofRepository(ClaimRecord.class, repositoryKey, "claims");
  }

  Directory<HeadRecord> head(String repositoryKey) {
    return ofRepository(HeadRecord.class, repositoryKey, "head");
  }

  static String hostName(String hostId, String incarnation) {
    return hostId + INCARNATION_MARK + incarnation;
  }

  static String hostIdOf(String hostName) {
    int mark = hostName.lastIndexOf(INCARNATION_MARK);
    return mark < 0 ? hostName : hostName.substring(0, mark);
  }

  static String incarnationOf(String hostName) {
    return hostName.substring(hostName.lastIndexOf(INCARNATION_MARK) + 1);
  }

  /** A name that no earlier queueing of the fix had: a re-created znode's version restarts at 0. */
  static String fixName(String fixId, String nonce) {
    return fixId + NONCE_MARK + nonce;
  }

  static String fixIdOf(String fixName) {
    int mark = fixName.lastIndexOf(NONCE_MARK);
    return mark < 0 ? fixName : fixName.substring(0, mark);
  }

  /** Checks that an id can be part of a path. */
  static String requireName(String name, String what) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "%s \"%s\" may hold letters, digits, dot, dash and underscore, at most 200"
              .formatted(what, name));
    }
    return name;
  }

  static String join(String path, String name) {
    return path + SEPARATOR + name;
  }

  static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf(SEPARATOR)));
  }

  static String nameOf(String path) {
    return path.substring(path.lastIndexOf(SEPARATOR) + 1);
  }

  private <T> Directory<T> ofRepository(Class<T> type, String repositoryKey, String kind) {
    requireName(repositoryKey, "repository key");
    return directory(type, "repositories", repositoryKey, kind);
  }

  private <T> Directory<T> directory(Class<T> type, String... names) {
    String path = root;
    for (String name : names) {
      path = join(path, name);
    }
    return new Directory<>(path, type, MAPPER);
  }

  private static final class InstantReader extends StdDeserializer<Instant> {
    private static final long serialVersionUID = 1;

    InstantReader() {
      super(Instant.class);
    }

    @Override
    public Instant deserialize(JsonParser parser, DeserializationContext context)
        throws IOException {
      String text = parser.getText();
      try {
        return Instant.parse(text);
      } catch (DateTimeParseException malformed) {
        return (Instant) context.handleWeirdStringValue(Instant.class, text, "not a time");
      }
    }
  }
}
