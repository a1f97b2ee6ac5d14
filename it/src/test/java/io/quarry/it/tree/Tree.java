package io.quarry.it.tree;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Grows a tree of images in several repositories, step by step, as a seed decides. */
final class Tree {
  private final CliShell shell;
  private final Random random;
  private final List<String> repos;
  private final List<Member> members = new ArrayList<>();
  private int differences;

  /** Source and base both exist, and the base is in the target repository of the difference. */
  private record Difference(Member source, Member base) {}

  Tree(CliShell shell, Random random, List<String> repos) {
    this.shell = shell;
    this.random = random;
    this.repos = repos;
  }

  List<Member> visible() {
    return members.stream().filter(each -> !each.removed).toList();
  }

  int differences() {
    return differences;
  }

  /** Adds one image, of any kind that is possible. */
  void grow() {
    int before = members.size();
    while (members.size() == before) {
      int dice = random.nextInt(100);
      if (dice < 12) {
        diskOf(repos.get(random.nextInt(repos.size())), null);
      } else if (dice < 40) {
        any(each -> !each.disk).ifPresent(base -> diskOf(base.repo, base));
      } else if (dice < 75) {
        any(each -> each.disk).ifPresent(this::snapshot);
      } else if (dice < 90) {
        any(each -> true).ifPresent(this::copy);
      } else {
        copyDifference();
      }
    }
  }

  private Optional<Member> any(Predicate<Member> fits) {
    List<Member> all = visible().stream().filter(fits).toList();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
  }

  private void diskOf(String repo, @Nullable Member base) {
    String size = String.valueOf(Member.SIZE);
    String id =
        base == null
            ? shell.say("disk", "create", repo, size)
            : shell.say("disk", "create", repo, size, "--base", base.id);
    members.add(
        new Member(repo, id, true, base == null ? new byte[Member.BLOCKS] : base.content, base));
  }

  private void snapshot(Member disk) {
    Member made =
        new Member(
            disk.repo,
            shell.say("snapshot", "create", disk.repo, disk.id),
            false,
            disk.content,
            disk.below);
    members.add(made);
    disk.below = made;
  }

  /** Copies a whole image into a repository that lacks it. */
  private void copy(Member source) {
    String target = repos.get(random.nextInt(repos.size()));
    if (find(target, source.id).isPresent()) {
      return;
    }
    String id = shell.say("image", "copy", target, source.id, "--hint", hint(source));
    assertThat(id.equals(source.id)).as("id of the copy of %s", source).isEqualTo(!source.disk);
    members.add(new Member(target, id, source.disk, source.content, null));
  }

  /** Copies a difference to a snapshot that the target has as well. */
  private void copyDifference() {
    List<Difference> possible = new ArrayList<>();
    for (Member source : visible()) {
      for (Member base : source.bases()) {
        repos.stream()
            .filter(repo -> !repo.equals(source.repo) && find(repo, source.id).isEmpty())
            .flatMap(repo -> find(repo, base.id).stream())
            .forEach(there -> possible.add(new Difference(source, there)));
      }
    }
    if (!possible.isEmpty()) {
      Difference one = possible.get(random.nextInt(possible.size()));
      Member source = one.source();
      Member base = one.base();
      String id =
          shell.say(
              "image", "copy", base.repo, source.id, "--hint", hint(source), "--base", base.id);
      members.add(new Member(base.repo, id, source.disk, source.content, base));
      differences++;
    }
  }

  private static String hint(Member source) {
    return source.id + "=" + source.repo;
  }

  private Optional<Member> find(String repo, String id) {
    return visible().stream()
        .filter(each -> each.repo.equals(repo) && each.id.equals(id))
        .findAny();
  }

  /** A guest changes some blocks of a disk. */
  void write() throws Exception {
    Optional<Member> some = any(each -> each.disk);
    if (some.isPresent()) {
      Member disk = some.get();
      for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
        disk.content[random.nextInt(Member.BLOCKS)] = (byte) random.nextInt(1, 128);
      }
      open(disk, "write");
    }
  }

  /** Removes a snapshot from the middle of a chain. */
  void removeInTheMiddle() {
    any(each -> !each.disk && members.stream().anyMatch(other -> other.below == each))
        .ifPresent(this::remove);
  }

  void remove(Member member) {
    shell.say("image", "remove", member.repo, member.id);
    member.removed = true;
  }

  void assertContent(Member member) throws Exception {
    open(member, "read");
  }

  private void open(Member member, String how) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("image", "open", member.repo, member.id));
    boolean reads = how.equals("read");
    if (reads) {
      words.add("--read-only");
    }
    JsonNode opened = shell.ask(words.toArray(String[]::new));
    ObjectNode blockdev = opened.path("blockdev").deepCopy();
    List<String> guest = new ArrayList<>(List.of("qemu-io"));
    if (reads) {
      guest.add("-r");
    }
    member.blocks(how).forEach(block -> guest.addAll(List.of("-c", block)));
    guest.add("json:" + blockdev.without("node-name"));
    assertThat(QemuGuest.run(guest)).as("%s", member).doesNotContain("failed", "rror");
    shell.say("image", "close", member.repo, member.id, opened.path("openId").asText());
  }
}
