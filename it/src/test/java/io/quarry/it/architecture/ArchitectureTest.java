package io.quarry.it.architecture;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;

/**
 * Which package may use which. Each rule gives its reason, so that a failure reads as an
 * explanation.
 */
@AnalyzeClasses(packages = "io.quarry", importOptions = DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String[] PURE = {"io.quarry.coordinator.plan..", "io.quarry.common.model.."};

  private static final Set<String> CLOCKS_AND_DICE =
      Set.of(
          "java.lang.System.currentTimeMillis",
          "java.lang.System.nanoTime",
          "java.time.Instant.now",
          "java.time.LocalDate.now",
          "java.time.LocalDateTime.now",
          "java.time.OffsetDateTime.now",
          "java.time.ZonedDateTime.now",
          "java.lang.Math.random",
          "java.util.UUID.randomUUID");

  /** Classes that use the host's own files, but no file of a repository, and why. */
  private static final String[] FILES_OF_THE_HOST = {
    // The socket of a tool, in the agent's runtime directory.
    "io.quarry.agent.data.nbd.QemuNbd",
    // The processes that have a file open, in /proc.
    "io.quarry.agent.data.os.Processes",
    // What the host must remember, in the agent's state directory.
    "io.quarry.agent.repository.Drain",
    "io.quarry.agent.repository.SeenHeads",
    "io.quarry.agent.repository.StateFile",
    // What is mounted where, in /proc; mount points, in the agent's state directory.
    "io.quarry.agent.data.os.MountTable",
    "io.quarry.agent.storage.nfs.MountPoint",
    "io.quarry.agent.storage.nfs.NfsMounts",
    // The kernel's NFS client, in /sys.
    "io.quarry.agent.storage.nfs.NfsClientId",
    // Tells whether the directory that an administrator names exists.
    "io.quarry.agent.storage.directory.DirectoryConnection",
    // Devices of volumes, which are in no folder.
    "io.quarry.agent.data.os.DeviceNodes",
    "io.quarry.agent.storage.clvm.ClvmVolumes",
    "io.quarry.agent.storage.clvm.Growth",
    // A device of the host, in no folder of a repository.
    "io.quarry.agent.storage.block.FileBlockDevice",
    // One file, for programs that are no agent.
    "io.quarry.agent.data.ImageCopy",
    "io.quarry.agent.data.qemu.Chain$OfCaller",
    "io.quarry.agent.data.RawFileSource"
  };

  private static final Set<String> OPENERS =
      Set.of(
          "java.nio.channels.FileChannel.open",
          "io.quarry.agent.data.os.NativeFile.openRead",
          "io.quarry.agent.data.os.NativeFile.openWrite",
          "io.quarry.agent.data.os.NativeFile.createNew",
          "io.quarry.agent.data.os.DiskUsage.allocated");

  @ArchTest
  static void eachExemptionNamesAClass(JavaClasses all) {
    for (String name : FILES_OF_THE_HOST) {
      assertThat(all.contain(name)).as(name).isTrue();
    }
  }

  /** Between modules, Maven says who may know whom. */
  @ArchTest
  static final ArchRule packagesOfTheNodeKnowThoseBelow =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("repository")
          .definedBy("io.quarry.agent.repository..")
          .layer("fix")
          .definedBy("io.quarry.agent.fix..")
          .layer("check")
          .definedBy("io.quarry.agent.check..")
          .layer("service")
          .definedBy("io.quarry.agent.service..")
          .whereLayer("service")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("check")
          .mayOnlyBeAccessedByLayers("service")
          .whereLayer("fix")
          .mayOnlyBeAccessedByLayers("check", "service")
          .because("calls ask for checks, checks know fixes, and fixes work on repositories");

  @ArchTest
  static final ArchRule zooKeeperStaysInTheClusterPackage =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.quarry.coordinator.cluster..",
              "io.quarry.agent.guardian..",
              "io.quarry.agent.dev..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.zookeeper..", "org.apache.curator..")
          .because(
              "only one package knows paths, codecs and versions of znodes; the guardian closes"
                  + " a session, and dev embeds a server")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule wireLibrariesStayAtTheWire =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.quarry.agent.server..", "io.quarry.agent.data.nbd..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.netty..", "io.vertx..")
          .because("only packages that speak a wire protocol know Netty and Vert.x")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule picocliStaysInTheCommandLine =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.quarry.agent.cli..", "io.quarry.agent.lab..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("picocli..")
          .because("commands are a way in, not a place for work")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule decisionsDoNoInputOutputAndStartNoThreads =
      noClasses()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                      "java.io..",
                      "java.nio..",
                      "java.net..",
                      "java.net.http..",
                      "java.util.concurrent..")
                  .and(
                      notNamed(
                          "java.io.Serializable",
                          "java.nio.charset.Charset",
                          "java.nio.charset.StandardCharsets"))
                  .or(named("java.lang.Thread", "java.lang.Process", "java.lang.ProcessBuilder")))
          .because("plan and model are pure: the packages around them act")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule decisionsReadNoClockAndRollNoDice =
      noClasses()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .accessTargetWhere(readsAClockOrRollsDice())
          .orShould()
          .dependOnClassesThat(
              named(
                  "java.util.Random",
                  "java.util.random.RandomGenerator",
                  "java.security.SecureRandom",
                  "java.time.Clock"))
          .because(
              "the same state and request must give the same plan on every agent: time and ids come"
                  + " from outside")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule filesOfARepositoryAreReachedByItsFolders =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.quarry.agent.fix..",
              "io.quarry.agent.check..",
              "io.quarry.agent.service..",
              "io.quarry.agent.repository..",
              "io.quarry.agent.storage..",
              "io.quarry.agent.data..",
              "io.quarry.coordinator.log..")
          .and(DescribedPredicate.not(named(FILES_OF_THE_HOST)))
          .should()
          .accessTargetWhere(opensByPath())
          .because(
              "Files and FileChannel follow links, wait for FIFOs and report failures by texts; a"
                  + " Folder of agent.data.os does not")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule onlyFormatsKnowWhatAStorageIsMadeOf =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.quarry.agent.repository..",
              "io.quarry.agent.fix..",
              "io.quarry.agent.check..",
              "io.quarry.agent.service..")
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                      "io.quarry.agent.storage.directory..",
                      "io.quarry.agent.storage.nfs..",
                      "io.quarry.agent.storage.block..",
                      "io.quarry.agent.storage.clvm..")
                  .or(named("io.quarry.agent.data.os.Folder")))
          .because("another format has no directories: agent.storage says what all formats have");

  @ArchTest
  static final ArchRule commandsOfLvmAreKnown =
      noClasses()
          .that()
          .resideInAPackage("io.quarry.agent.storage.clvm..")
          .and(
              DescribedPredicate.not(
                  named(
                      // Runs what the two classes below give.
                      "io.quarry.agent.storage.clvm.HostTool")))
          .should()
          .dependOnClassesThat(
              named(
                  "io.quarry.agent.data.process.Children",
                  "java.lang.ProcessBuilder",
                  "java.lang.Runtime"))
          .orShould()
          .accessTargetWhere(runsAProgram())
          .because(
              "hosts have no lock on the metadata of LVM: LvmCommand lists what they run, and"
                  + " ForeignContent lists signatures");

  @ArchTest
  static final ArchRule longLivedThreadsAreSupervised =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              // The package that starts watched threads.
              "io.quarry.coordinator.thread..",
              // A process of its own, and the agent's end of the pipe to that process.
              "io.quarry.agent.guardian..",
              // Threads of one copy, or of one running tool: they end with it.
              "io.quarry.agent.data..",
              // The callers' side, and processes other than an agent.
              "io.quarry.common.client..",
              "io.quarry.agent.cli..",
              "io.quarry.agent.lab..",
              "io.quarry.agent.demo..",
              "io.quarry.agent.dev..",
              "io.quarry.agent.chaos..")
          .and(
              DescribedPredicate.not(
                  named(
                      // A virtual thread for each call.
                      "io.quarry.agent.server.ApiServer",
                      // A thread for each watcher; a new one begins when a thread has ended.
                      "io.quarry.agent.service.Events",
                      // A process of its own, which ends with its only call.
                      "io.quarry.agent.storage.nfs.MountMain",
                      // The hook that ends the agent.
                      "io.quarry.agent.AgentMain")))
          .should()
          .accessTargetWhere(startsThreads())
          .because(
              "a thread that ends by an exception is noticed only by its missing work: the"
                  + " supervisor starts threads, also those of pools");

  @ArchTest
  static final ArchRule everyClassLivesInAModule =
      classes()
          .should()
          .resideInAnyPackage(
              "io.quarry.common..",
              "io.quarry.coordinator..",
              "io.quarry.agent..",
              "io.quarry.it..")
          .because("a class outside these packages escapes the rules above");

  private static DescribedPredicate<JavaAccess<?>> readsAClockOrRollsDice() {
    return target(
        DescribedPredicate.describe(
            "reads a clock or rolls dice",
            (AccessTarget target) ->
                CLOCKS_AND_DICE.contains(target.getOwner().getName() + "." + target.getName())));
  }

  private static DescribedPredicate<JavaAccess<?>> opensByPath() {
    return target(
        DescribedPredicate.describe(
            "opens a file by its path",
            (AccessTarget target) ->
                target.getOwner().getName().equals("java.nio.file.Files")
                    || OPENERS.contains(target.getOwner().getName() + "." + target.getName())));
  }

  /** By classes other than the two that may. */
  private static DescribedPredicate<JavaAccess<?>> runsAProgram() {
    Set<String> callers =
        Set.of(
            "io.quarry.agent.storage.clvm.LogicalVolumes",
            "io.quarry.agent.storage.clvm.ForeignContent");
    return DescribedPredicate.describe(
        "runs a program",
        access ->
            access.getTargetOwner().getName().equals("io.quarry.agent.storage.clvm.HostTool")
                && access.getName().equals("run")
                && !callers.contains(access.getOriginOwner().getName()));
  }

  private static DescribedPredicate<JavaAccess<?>> startsThreads() {
    return target(
        DescribedPredicate.describe(
            "starts threads that no supervisor watches",
            (AccessTarget target) ->
                switch (target.getOwner().getName()) {
                  case "java.lang.Thread" ->
                      Set.of("<init>", "ofPlatform", "ofVirtual", "startVirtualThread")
                          .contains(target.getName());
                  case "java.util.concurrent.Executors" ->
                      target.getName().contains("Scheduled") || lacksThreadFactory(target);
                  case "java.util.concurrent.ThreadPoolExecutor" ->
                      target.getName().equals("<init>") && lacksThreadFactory(target);
                  case "java.util.concurrent.ScheduledThreadPoolExecutor", "java.util.Timer" ->
                      target.getName().equals("<init>");
                  default -> false;
                }));
  }

  private static boolean lacksThreadFactory(AccessTarget target) {
    return target instanceof AccessTarget.CodeUnitAccessTarget called
        && called.getRawParameterTypes().stream()
            .noneMatch(type -> type.getName().equals("java.util.concurrent.ThreadFactory"));
  }

  private static DescribedPredicate<JavaClass> named(String... names) {
    Set<String> wanted = Set.of(names);
    return DescribedPredicate.describe("named " + wanted, type -> wanted.contains(type.getName()));
  }

  private static DescribedPredicate<JavaClass> notNamed(String... names) {
    return DescribedPredicate.not(named(names));
  }
}
